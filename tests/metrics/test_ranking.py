"""HR@k and NDCG@k: by brute force over all ways to break ties, and on networks whose ranking is known."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dynas.errors import DynasError
from dynas.metrics.measurer import check_task
from dynas.metrics.ranking import HitRate, Ndcg, gains, hits, score
from tests.helpers.supernets import narrow, narrow_ncf

HIT, GAIN = HitRate(10), Ndcg(10)


@dataclass
class Choices:
    """Users of whom an item is held out; user ``u`` ranks items ``u``, ``u + 1`` and so on."""

    task: str = "recommendation"
    users: int = 20
    items: int = 130
    held_out: int = 20
    ranked_users: Any = field(init=False)
    candidates: Any = field(init=False)

    def __post_init__(self) -> None:
        self.ranked_users = np.arange(self.held_out)[::-1].copy()
        self.candidates = self.ranked_users[:, None] + np.arange(100)


class Scores(nn.Module):
    """Scores a pair of user and item by a function of both."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function
        self.entities = (20, 130)

    def forward(self, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        return self.function(users, items).float()


def measured(metric: Any, function: Any) -> float:
    (reading,) = metric.measure([Scores(function)], SimpleNamespace(data=Choices()))
    return reading.value


@given(st.lists(st.integers(0, 2), min_size=2, max_size=6), st.integers(1, 7))
@settings(max_examples=60)
def test_ties_count_as_the_average_over_all_ways_to_break_them(row: list[int], k: int) -> None:
    ranks = []
    for order in itertools.permutations(range(len(row))):
        best = sorted(order, key=lambda item: -row[item])  # stable: the permutation decides ties
        ranks.append(1 + best.index(0))
    expected_hits = np.mean([rank <= k for rank in ranks])
    expected_gains = np.mean([(rank <= k) / np.log2(1 + rank) for rank in ranks])
    scores = np.array([row], dtype=np.float32)
    assert hits(scores, k)[0] == pytest.approx(expected_hits)
    assert gains(scores, k)[0] == pytest.approx(expected_gains)


def test_a_network_that_knows_is_perfect_and_one_that_knows_nothing_is_as_good_as_chance() -> None:
    assert measured(HIT, lambda users, items: -(items - users)) == measured(GAIN, lambda users, items: users - items)
    assert measured(HIT, lambda users, items: users - items) == 100
    assert measured(HIT, lambda users, items: items - users) == 0
    assert measured(HIT, lambda users, items: 0 * items) == pytest.approx(10)
    assert measured(GAIN, lambda users, items: 0 * items) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(("ahead", "hit", "gain"), [(0, 100, 1), (9, 100, 1 / np.log2(11)), (10, 0, 0)])
def test_the_tenth_is_a_hit_and_the_eleventh_none(ahead: int, hit: float, gain: float) -> None:
    def place(users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        return 2 * ((items > users) & (items <= users + ahead)) + (items == users)

    assert measured(HIT, place) == hit
    assert measured(GAIN, place) == pytest.approx(100 * gain)


def test_a_score_that_is_no_number_is_no_hit() -> None:
    assert np.isnan(measured(HIT, lambda users, items: items / 0.0 - items / 0.0))


def test_each_user_has_its_own_candidates() -> None:
    data = Choices()
    scores = score(Scores(lambda users, items: 1000 * users + items), data)  # type: ignore[arg-type]
    np.testing.assert_array_equal(scores, 1000 * data.ranked_users[:, None] + data.candidates)


def test_what_does_not_recommend_is_refused() -> None:
    bench: Any = SimpleNamespace(data=Choices(), supernet=narrow())
    with pytest.raises(DynasError, match="hr10 judges recommendation, but supernet 'mbv3' is made for classification"):
        check_task("hr10", HIT, bench)
    bench = SimpleNamespace(data=SimpleNamespace(task="translation", quality="bleu"), supernet=narrow_ncf())
    with pytest.raises(DynasError, match=r"ndcg10 judges recommendation, but the data are for translation: .*=bleu"):
        check_task("ndcg10", GAIN, bench)
    bench = SimpleNamespace(data=Choices(), supernet=narrow_ncf())
    with pytest.raises(DynasError, match=r"20 users and 130 items: give supernet\.users=20 supernet\.items=130"):
        HIT.check(bench)
    with pytest.raises(DynasError, match="k of 1 or more, got 0"):
        HitRate(0)
