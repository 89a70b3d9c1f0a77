"""The embedded BERT: its size, what its model card says, and a search on it with the defaults."""

from __future__ import annotations

import numpy as np
import pytest

from dynas.metrics.measurer import Measurer
from dynas.supernets.weights.load import embedded_path
from tests.helpers.embedded import ends_and_middle, measurer_of, on_card

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measurer() -> Measurer:
    return measurer_of("supernet=bert", "objectives=accuracy")


@pytest.fixture(scope="module")
def accuracy(measurer: Measurer) -> dict[str, float]:
    """Accuracy of the ends of the space and of a sub-network in the middle on all validation sentences."""
    return ends_and_middle(measurer)


def test_the_weights_are_small_enough_for_the_package() -> None:
    assert embedded_path("bert").stat().st_size < 16e6


def test_the_whole_network_is_good_and_the_middle_lies_between_the_ends(accuracy: dict[str, float]) -> None:
    error = 100 * np.sqrt(0.86 * 0.14 / 1600)
    assert accuracy["largest"] >= 85
    assert accuracy["largest"] - accuracy["smallest"] > 8 + 2 * np.sqrt(2) * error
    assert accuracy["smallest"] + 4 < accuracy["middle"] < accuracy["largest"] + error


def test_the_model_card_says_what_is_measured(accuracy: dict[str, float]) -> None:
    for which in ("smallest", "largest"):
        assert accuracy[which] == pytest.approx(on_card("bert", which), abs=0.3)
    assert "Apache" in embedded_path("bert").with_suffix(".md").read_text()


def test_the_space_is_that_of_the_whole_networks_shares(measurer: Measurer) -> None:
    supernet = measurer.bench.supernet
    assert supernet.space.size == sum(16**layers for layers in range(2, 7))
    ends = np.stack([supernet.space.smallest(), supernet.space.largest()])
    few, many = supernet.macs(ends)
    assert many > 10 * few
