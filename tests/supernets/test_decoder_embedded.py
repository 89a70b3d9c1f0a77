"""The embedded decoder: its size, what its model card says, and what it is worth beside a compressor of texts."""

from __future__ import annotations

import pytest

from dynas.metrics.measurer import Measurer
from dynas.supernets.weights.load import embedded_path
from tests.helpers.embedded import ends_and_middle, measurer_of, on_card

pytestmark = pytest.mark.slow

PPMD = 1.951  # bits per byte of the held-out genres, after the texts that are trained on (docs/supernets/decoders.md)


@pytest.fixture(scope="module")
def measurer() -> Measurer:
    return measurer_of("supernet=decoder", "objectives=bits_per_byte")


@pytest.fixture(scope="module")
def bits(measurer: Measurer) -> dict[str, float]:
    """Bits per byte of the ends of the space and of a sub-network in the middle."""
    return ends_and_middle(measurer)


def test_the_weights_are_small_enough_for_the_package() -> None:
    assert embedded_path("decoder").stat().st_size < 8e6


def test_it_knows_more_than_a_compressor_and_the_middle_lies_between_the_ends(bits: dict[str, float]) -> None:
    assert bits["largest"] < PPMD - 0.1
    assert bits["largest"] + 0.03 < bits["middle"] < bits["smallest"] - 0.03


def test_the_model_card_says_what_is_measured(bits: dict[str, float]) -> None:
    for which in ("smallest", "largest"):
        assert bits[which] == pytest.approx(on_card("decoder", which), abs=0.002)


def test_the_space_is_as_large_as_its_page_says(measurer: Measurer) -> None:
    assert measurer.bench.supernet.space.size == 2_218_033_216
