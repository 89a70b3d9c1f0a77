"""Plot HR@10 of NCF's sub-networks against their GMF width, and against every other choice by a rank correlation.

    python scripts/benchmarks/plot_ncf_gmf.py [OVERRIDE ...]     # such as supernet=ncf_movielens

Cummings et al. 2022 (arXiv:2205.10358, Appendix D.5) explain by a dominating GMF width why LINAS gains little on NCF.
Sub-networks are drawn with genes that are all equally likely, so that each width and depth comes up as often.
"""

from __future__ import annotations

import sys

import matplotlib
import numpy as np
from hydra import compose, initialize_config_dir
from scipy.stats import kendalltau

from dynas.compose.build import build
from dynas.compose.frames import register
from dynas.metrics.ranking import hits, score
from dynas.system.folders import CONFIGS

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SUBNETS = 300
MEASURED = ("mlp_embed_dim", "gmf_embed_dim", "mlp_layers")


def main() -> None:
    """Measure random sub-networks, print the correlations and write the picture."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("search", overrides=["supernet=ncf", *sys.argv[1:]])
    supernet, data = build(config, "supernet"), build(config, "data")
    space = supernet.space
    rows = space.canonical(space.random_genes(SUBNETS, np.random.default_rng(0)))
    found = [space.decode(row) for row in rows]
    rates = np.array([100 * hits(score(supernet.subnet(one), data), 10).mean() for one in found])
    for name in MEASURED:
        tau = kendalltau([one[name] for one in found], rates).statistic
        print(f"{name:14} Kendall tau with HR@10: {tau:5.2f}")
    widths = config.supernet.embed_dims
    groups = [rates[[one["gmf_embed_dim"] == width for one in found]] for width in widths]
    for width, group in zip(widths, groups, strict=True):
        print(f"GMF width {width:>4}: HR@10 {group.mean():.1f} % on average, {group.std():.1f} standard deviation")
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.boxplot(groups, tick_labels=list(map(str, widths)))
    axes.set(xlabel="GMF embedding width", ylabel="HR@10 [%]", title=f"{SUBNETS} random sub-networks of NCF")
    figure.savefig("ncf_gmf.png", dpi=120)
    print("  ncf_gmf.png")


if __name__ == "__main__":
    main()
