"""How a supernet ranks its sub-networks, and when a training ends by that."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas.core.objectives import Objective
from dynas.core.space import SearchSpace
from dynas.errors import DynasError
from dynas.training.ranking import Validation, rank

TOP1 = Objective("top1", "max", "%")


def test_a_ranking_says_where_the_middle_lies() -> None:
    ranking = rank(np.array([60.0, 80.0, 59.0, 66.0, 70.0, 72.0]), np.array([1, 9, 2, 3, 4, 5]), TOP1)
    assert (ranking.smallest, ranking.median, ranking.largest) == (60.0, 68.0, 80.0)
    assert ranking.worse == 25.0
    assert ranking.tau == pytest.approx(1.0)
    assert ranking.way == pytest.approx(40.0)


@given(st.lists(st.integers(0, 1000).map(lambda tenths: tenths / 10), min_size=4, max_size=12))
def test_where_lower_is_better_everything_is_the_other_way_round(qualities: list[float]) -> None:
    macs = np.arange(len(qualities))
    up = rank(np.array(qualities), macs, TOP1)
    down = rank(-np.array(qualities), macs, Objective("perplexity", "min", "ppl"))
    assert (down.worse, down.median, down.way) == (up.worse, -up.median, pytest.approx(up.way, nan_ok=True))
    assert down.tau == pytest.approx(up.tau, nan_ok=True)


def test_sub_networks_that_are_all_alike_have_no_rank_correlation() -> None:
    assert np.isnan(rank(np.array([50.0, 60.0, 55.0, 55.0]), np.arange(4), TOP1).tau)


def test_the_same_sub_networks_are_measured_every_time(mbv3_space: SearchSpace) -> None:
    validation = Validation(subnets=7)
    rows = validation.genotypes(mbv3_space)
    assert rows.shape == (9, mbv3_space.n_genes)
    assert (rows[:2] == np.stack([mbv3_space.smallest(), mbv3_space.largest()])).all()
    assert (rows == validation.genotypes(mbv3_space)).all()
    assert (rows == mbv3_space.canonical(rows)).all()


@pytest.mark.parametrize(
    ("settings", "due"),
    [({"subnets": 3}, [1, 2, 3, 4, 5]), ({"subnets": 3, "every": 2}, [2, 4, 5]), ({"subnets": 0}, [])],
)
def test_sub_networks_are_measured_every_so_often_and_at_the_end(settings: dict[str, int], due: list[int]) -> None:
    assert [epoch for epoch in range(1, 6) if Validation(**settings).due(epoch, 5)] == due


@pytest.mark.parametrize(
    ("medians", "ends"),
    [
        ([50.0, 60.0, 70.0], False),
        ([60.0, 59.0], False),
        ([60.0, 59.0, 60.0], True),
        ([60.0, 59.0, 61.0], False),
        ([60.0, 61.0, 59.0, 61.0], True),
    ],
)
def test_a_training_ends_early_once_the_median_has_not_risen(medians: list[float], ends: bool) -> None:
    curve = [{"epoch": 3.0 + index, "median": median} for index, median in enumerate(medians)]
    before = [{"epoch": 1.0, "largest": 90.0}, {"epoch": 2.0, "median": 99.0}]
    assert Validation(5, patience=2).exhausted([*before, *curve], TOP1, since=3) == ends
    assert not Validation(5).exhausted([*before, *curve], TOP1, since=3)
    sinking = [row | {"median": -row["median"]} for row in curve]
    assert Validation(5, patience=2).exhausted(sinking, Objective("perplexity", "min", "ppl"), since=3) == ends


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"subnets": -1}, "validation.subnets=-1"),
        ({"subnets": 2.5}, "validation.subnets=2.5"),
        ({"subnets": 5, "every": 0}, "validation.every=0"),
        ({"subnets": 5, "patience": 0}, "validation.patience=0"),
        ({"subnets": 0, "patience": 3}, "validation.patience=3 needs something to be measured"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(DynasError, match=message.replace(".", r"\.")):
        Validation(**settings)
