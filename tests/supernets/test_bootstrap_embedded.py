"""The embedded supernet of a trained ResNet: its size, and what its ends are worth."""

from __future__ import annotations

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.supernets.weights.load import embedded_path
from dynas.system.folders import CONFIGS

pytestmark = pytest.mark.slow


def test_the_weights_are_small_enough_for_the_package() -> None:
    assert embedded_path("bootstrap_resnet50").stat().st_size < 2e6


def test_both_ends_of_the_space_are_worth_something_and_differ() -> None:
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        overrides = ["supernet=bootstrap_resnet50", "objectives=[top1,macs]", "data.validation_size=500"]
        problem, measurer = build_problem(compose("search", overrides=overrides))
    assert problem.space.size == 80_621_568
    ends = np.stack([problem.space.smallest(), problem.space.largest()])
    smallest, largest = (dict(zip(measurer.metrics, one.values, strict=True)) for one in measurer.measure(ends))
    assert smallest["top1"] > 65
    assert largest["top1"] > smallest["top1"]
    assert largest["macs"] > 3 * smallest["macs"]
