"""What measures the networks that lie in the package."""

from __future__ import annotations

import re

import numpy as np
from hydra import compose, initialize_config_dir

from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.metrics.measurer import Measurer
from dynas.supernets.weights.load import embedded_path
from dynas.system.folders import CONFIGS


def measurer_of(*overrides: str) -> Measurer:
    """Return what measures with the config of a search."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        _, measurer = build_problem(compose("search", overrides=list(overrides)))
    return measurer


def ends_and_middle(measurer: Measurer) -> dict[str, float]:
    """Return the first objective of the smallest, the middle and the largest sub-network."""
    space = measurer.bench.supernet.space
    rows = np.stack([space.smallest(), space.middle(), space.largest()])
    found = [measurement.values[0] for measurement in measurer.measure(rows)]
    return dict(zip(("smallest", "middle", "largest"), found, strict=True))


def on_card(name: str, which: str) -> float:
    """Return what the model card of embedded weights says that a sub-network reaches."""
    card = embedded_path(name).with_suffix(".md").read_text()
    found = re.search(rf"^\| {which} \| ([\d.]+) \|", card, flags=re.MULTILINE)
    assert found is not None
    return float(found[1])
