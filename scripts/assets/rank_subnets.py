"""Say how a supernet ranks its sub-networks: where the middle lies between the ends, and whether quality follows MACs.

    python scripts/assets/rank_subnets.py supernet=mbv3
    python scripts/assets/rank_subnets.py supernet=mbv3 supernet.weights=outputs/train_mbv3/.../weights.safetensors

Arguments are overrides of ``dynas search``. 300 random sub-networks are measured, every gene drawn uniformly.
"""

from __future__ import annotations

import sys

import numpy as np
from hydra import compose, initialize_config_dir

from dynas.compose.frames import register
from dynas.compose.parts import build_parts
from dynas.compose.problem import build_quality
from dynas.system.folders import CONFIGS
from dynas.training.judge import Judge
from dynas.training.ranking import Validation, rank

SUBNETS = 300


def main() -> None:
    """Measure the ends and random sub-networks; print a row for a model card."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("search", overrides=sys.argv[1:])
        data, supernet = build_parts(config)
        judge = Judge(*build_quality(config, supernet, data))
    genotypes = Validation(SUBNETS).genotypes(supernet.space)
    qualities = judge.qualities(genotypes)
    ranking = rank(qualities, supernet.macs(genotypes), judge.objective)
    low, high = np.quantile(qualities[2:], (0.25, 0.75))
    cells = {
        f"smallest {judge.objective.column}": ranking.smallest,
        "quarter": low,
        "median": ranking.median,
        "three quarters": high,
        "largest": ranking.largest,
        "median's way [%]": ranking.way,
        "worse than the smallest [%]": ranking.worse,
        "Kendall tau with MACs": ranking.tau,
    }
    print(f"| {' | '.join(cells)} |")
    print("| ---: " * len(cells) + "|")
    print(f"| {' | '.join(f'{value:.2f}' for value in cells.values())} |")


if __name__ == "__main__":
    main()
