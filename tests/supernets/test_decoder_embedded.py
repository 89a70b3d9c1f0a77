"""The embedded decoder: its size, what its model card says, and what it is worth beside a compressor of texts."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dynas.core.space import Genotypes
from dynas.metrics.measurer import Measurer
from dynas.supernets.weights.load import embedded_path
from tests.helpers.embedded import measurer_of

pytestmark = pytest.mark.slow

PPMD = 1.935  # bits per byte of the held-out genres, after the texts that are trained on (docs/supernets/decoders.md)


@pytest.fixture(scope="module")
def measurer() -> Measurer:
    return measurer_of("supernet=decoder", "objectives=bits_per_byte")


@pytest.fixture(scope="module")
def bits(measurer: Measurer) -> dict[str, float]:
    """Bits per byte of the ends of the space and of a sub-network in the middle."""
    space = measurer.bench.supernet.space
    rows: Genotypes = np.stack([space.smallest(), space.middle(), space.largest()])
    found = [measurement.values[0] for measurement in measurer.measure(rows)]
    return dict(zip(("smallest", "middle", "largest"), found, strict=True))


def test_the_weights_are_small_enough_for_the_package() -> None:
    assert embedded_path("decoder").stat().st_size < 8e6


def test_it_knows_more_than_a_compressor_and_the_middle_lies_between_the_ends(bits: dict[str, float]) -> None:
    assert bits["largest"] < PPMD - 0.05
    assert bits["largest"] + 0.03 < bits["middle"] < bits["smallest"] - 0.03


def test_the_model_card_says_what_is_measured(bits: dict[str, float]) -> None:
    card = embedded_path("decoder").with_suffix(".md").read_text()
    for which in ("smallest", "largest"):
        found = re.search(rf"^\| {which} \| ([\d.]+) \|", card, flags=re.MULTILINE)
        assert found is not None
        assert bits[which] == pytest.approx(float(found[1]), abs=0.002)


def test_the_space_is_as_large_as_its_page_says(measurer: Measurer) -> None:
    assert measurer.bench.supernet.space.size == 2_218_033_216
