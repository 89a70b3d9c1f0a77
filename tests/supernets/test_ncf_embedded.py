"""The trained NCFs: their sizes, what their model cards say, what they beat, and a search with the defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dynas.data.interactions.baselines import item_neighbours, popularity
from dynas.data.movielens import WEIGHTS, movielens_file
from dynas.metrics.measurer import Measurer
from dynas.metrics.ranking import hits
from dynas.supernets.weights.load import embedded_path
from tests.helpers.cli import BRIEF, dynas, read_rows
from tests.helpers.embedded import measurer_of

pytestmark = pytest.mark.slow
STORED = {"ncf": embedded_path("ncf"), "ncf_movielens": movielens_file(WEIGHTS)}


@pytest.fixture(scope="module", params=STORED)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def measurer(name: str) -> Measurer:
    return measurer_of(f"supernet={name}", "objectives=hr10")


@pytest.fixture(scope="module")
def hr10(name: str, measurer: Measurer) -> dict[str, float]:
    """HR@10 of the ends of the space; a largest one takes a minute, so that of one network is enough."""
    space = measurer.bench.supernet.space
    ends = {"smallest": space.smallest()} | ({"largest": space.largest()} if name == "ncf" else {})
    return {which: next(measurer.measure(row[None])).values[0] for which, row in ends.items()}


def test_the_weights_are_small_enough_for_a_package(name: str) -> None:
    assert STORED[name].stat().st_size < 8e6


def test_the_widest_products_beat_popularity_and_item_neighbours(measurer: Measurer) -> None:
    space = measurer.bench.supernet.space
    widest = space.decode(space.smallest()) | {"gmf_embed_dim": 128}
    (found,) = measurer.measure(space.encode(widest)[None])
    plain = [100 * hits(scores(measurer.bench.data), 10).mean() for scores in (popularity, item_neighbours)]
    assert found.values[0] > max(plain)


def test_the_smallest_sub_network_knows_more_than_what_is_popular(measurer: Measurer, hr10: dict[str, float]) -> None:
    assert hr10["smallest"] > 5 + 100 * hits(popularity(measurer.bench.data), 10).mean()


def test_the_model_card_says_what_is_measured(name: str, hr10: dict[str, float]) -> None:
    card = STORED[name].with_suffix(".md").read_text()
    for which in hr10:
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
