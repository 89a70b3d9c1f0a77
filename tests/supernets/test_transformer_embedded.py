"""The embedded Transformer: its size, what its model card says, and a search on it with the defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynas.metrics.measurer import Measurer
from dynas.supernets.weights.load import embedded_path
from tests.helpers.cli import BRIEF, dynas, read_rows
from tests.helpers.embedded import measurer_of, on_card

pytestmark = pytest.mark.slow

FEW = ("data.validation_size=100", "objectives=bleu")


@pytest.fixture(scope="module")
def bleu() -> dict[str, float]:
    """BLEU of the ends of the space on a hundred validation sentences."""
    measurer = measurer_of("supernet=transformer", *FEW)
    return {which: measured(measurer, which) for which in ("smallest", "largest")}


def measured(measurer: Measurer, which: str) -> float:
    (measurement,) = measurer.measure(getattr(measurer.bench.supernet.space, which)()[None])
    return measurement.values[0]


def test_the_weights_are_small_enough_for_the_package() -> None:
    assert embedded_path("transformer").stat().st_size < 8e6


def test_bleu_differs_clearly_between_the_ends_of_the_space(bleu: dict[str, float]) -> None:
    assert bleu["smallest"] > 20
    assert bleu["largest"] > bleu["smallest"] + 3


def test_the_model_card_says_what_is_measured() -> None:
    measurer = measurer_of("supernet=transformer", "objectives=bleu")
    assert measured(measurer, "smallest") == pytest.approx(on_card("transformer", "smallest"), abs=0.3)


def test_a_search_needs_nothing_but_the_supernets_name(tmp_path: Path) -> None:
    quick = ("budget=6", "mode.population=3", "algo.population=3", "mode.predicted_evaluations=60")
    sizes = ("data.validation_size=40", *BRIEF)
    done = dynas("search", "supernet=transformer", *quick, *sizes, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "run")
    assert len(rows) == 6
    assert all(float(row["bleu [BLEU]"]) > 5 and float(row["latency [ms]"]) > 0 for row in rows)
