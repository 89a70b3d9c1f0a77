"""The embedded NCF: its size, what its model card says, what it beats, and a search on it with the defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dynas.data.interactions.baselines import item_neighbours, popularity
from dynas.metrics.measurer import Measurer
from dynas.metrics.ranking import hits
from dynas.supernets.weights.load import embedded_path
from tests.helpers.cli import BRIEF, dynas, read_rows
from tests.helpers.embedded import measurer_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measurer() -> Measurer:
    return measurer_of("supernet=ncf", "objectives=hr10")


@pytest.fixture(scope="module")
def hr10(measurer: Measurer) -> dict[str, float]:
    """HR@10 of the ends of the space."""
    space = measurer.bench.supernet.space
    ends = {"smallest": space.smallest(), "largest": space.largest()}
    return {which: next(measurer.measure(row[None])).values[0] for which, row in ends.items()}


def test_the_weights_are_small_enough_for_the_package() -> None:
    assert embedded_path("ncf").stat().st_size < 8e6


def test_the_largest_sub_network_beats_popularity_and_item_neighbours(
    measurer: Measurer, hr10: dict[str, float]
) -> None:
    plain = [100 * hits(scores(measurer.bench.data), 10).mean() for scores in (popularity, item_neighbours)]
    assert hr10["largest"] > max(plain)


def test_the_model_card_says_what_is_measured(hr10: dict[str, float]) -> None:
    card = embedded_path("ncf").with_suffix(".md").read_text()
    for which in ("smallest", "largest"):
        found = re.search(rf"^\| {which} \| ([\d.]+) \|", card, flags=re.MULTILINE)
        assert found is not None
        assert hr10[which] == pytest.approx(float(found[1]), abs=0.3)


def test_a_search_needs_nothing_but_the_supernets_name(tmp_path: Path) -> None:
    quick = ("budget=4", "mode.population=2", "algo.population=2", "mode.predicted_evaluations=60")
    done = dynas("search", "supernet=ncf", *quick, *BRIEF, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "run")
    assert len(rows) == 4
    assert all(float(row["hr10 [%]"]) > 20 and float(row["latency [ms]"]) > 0 for row in rows)
