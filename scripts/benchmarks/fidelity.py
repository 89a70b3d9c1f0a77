"""How well top-1 on a share of the validation images tells top-1 on all of them, for random sub-networks.

    python scripts/benchmarks/fidelity.py supernet=mbv3

Arguments are overrides of ``dynas search``. Every sub-network sees all images once; shares are drawn from these
answers, the same images for all sub-networks. Printed are means over the draws: correlation and Kendall's tau with all
images, and the correlation with the images that were left out, in which a share's own luck does not count.
"""

from __future__ import annotations

import sys
from typing import cast

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray
from scipy.stats import kendalltau

from dynas.compose.frames import register
from dynas.compose.parts import build_parts
from dynas.core.data import ClassificationData
from dynas.metrics.calibration import measured_network
from dynas.system.folders import CONFIGS

SUBNETS, DRAWS, SHARES = 120, 50, (0.1, 0.25, 0.5)


def answers(overrides: list[str]) -> NDArray[np.float64]:
    """Return which images ``(sub-networks, images)`` random sub-networks of a config tell rightly, as 0 and 1."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        data, supernet = build_parts(compose("search", overrides=overrides))
    space, rows = supernet.space, []
    for genotype in space.canonical(space.sample(SUBNETS, np.random.default_rng(0))):
        network = measured_network(supernet, data, space.decode(genotype))
        with torch.inference_mode():
            batches = cast(ClassificationData, data).validation_batches()
            rows.append(torch.cat([network(images).argmax(1) == labels for images, labels in batches]).numpy())
    return np.array(rows, dtype=float)


def main() -> None:
    """Measure, then print a row for each share."""
    right, rng = answers(sys.argv[1:]), np.random.default_rng(0)
    whole, images = right.mean(axis=1), right.shape[1]
    print(f"{SUBNETS} sub-networks, {images} images: top-1 {100 * whole.mean():.1f} ± {100 * whole.std():.2f} %\n")
    print("| share | correlation with all | Kendall tau with all | correlation with the others |")
    print("| ---: | ---: | ---: | ---: |")
    for share in SHARES:
        found = []
        for _ in range(DRAWS):
            order, size = rng.permutation(images), int(share * images)
            part, others = (right[:, some].mean(axis=1) for some in (order[:size], order[size:]))
            with_all, with_others = (np.corrcoef(part, one)[0, 1] for one in (whole, others))
            found.append((with_all, kendalltau(part, whole).statistic, with_others))
        print(f"| {share} | {' | '.join(f'{value:.2f}' for value in np.mean(found, axis=0))} |")


if __name__ == "__main__":
    main()
