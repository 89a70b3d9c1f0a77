"""The embedded vision transformer: its size, and what its model card says."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dynas.metrics.measurer import Measurer
from dynas.supernets.weights.load import embedded_path
from tests.helpers.embedded import ends_and_middle, measurer_of


@pytest.fixture(scope="module")
def measurer() -> Measurer:
    return measurer_of("supernet=vit", "objectives=top1")


@pytest.fixture(scope="module")
def top1(measurer: Measurer) -> dict[str, float]:
    """Top-1 of the ends of the space and of a sub-network in the middle on all validation images."""
    return ends_and_middle(measurer)


def test_the_weights_are_small_enough_for_the_package() -> None:
    assert embedded_path("vit").stat().st_size < 1e6


def test_the_middle_lies_between_the_ends(top1: dict[str, float]) -> None:
    error = 100 * np.sqrt(0.8 * 0.2 / 2500)
    assert top1["largest"] > top1["smallest"] + 2 * np.sqrt(2) * error
    assert top1["smallest"] < top1["middle"] < top1["largest"] + error


def test_the_model_card_says_what_is_measured(top1: dict[str, float]) -> None:
    card = embedded_path("vit").with_suffix(".md").read_text()
    told = re.search(r"the smallest sub-network reaches\s+([\d.]+) %, the largest ([\d.]+) %", card)
    assert told is not None
    assert [top1["smallest"], top1["largest"]] == pytest.approx([float(one) for one in told.groups()], abs=0.3)


def test_the_space_is_that_of_its_config(measurer: Measurer) -> None:
    supernet = measurer.bench.supernet
    assert supernet.space.size == sum(16**layers for layers in range(2, 7))
    few, many = supernet.macs(np.stack([supernet.space.smallest(), supernet.space.largest()]))
    assert many > 6 * few
