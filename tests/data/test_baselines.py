"""Popularity and item neighbours do what their papers say, and measure what docs/supernets/ncf.md says."""

from __future__ import annotations

import numpy as np
import pytest

from dynas.data.interactions.baselines import item_neighbours, popularity
from dynas.data.interactions.interactions import Interactions
from dynas.data.movielens import movielens
from dynas.data.simulated_choices import simulated_choices
from dynas.metrics.ranking import hits


@pytest.fixture
def small() -> Interactions:
    """Six items; user 0 chose 0 and 1, user 1 chose 1 and 2, user 2 chose 1."""
    users, items = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 2, 1])
    return Interactions(3, 6, users, items, np.array([0, 2]), np.array([[2, 3, 1], [0, 2, 3]]))


def test_popularity_counts_the_users_of_an_item(small: Interactions) -> None:
    assert popularity(small).tolist() == [[1, 0, 3], [1, 1, 0]]


def test_neighbours_are_compared_by_the_cosine_of_their_users(small: Interactions) -> None:
    near = 1 / np.sqrt(3)  # items 0 and 1 as well as 1 and 2 share one user; they have one and three
    np.testing.assert_allclose(item_neighbours(small), [[near, 0, near], [near, near, 0]])


def reference(data: Interactions, neighbours: int) -> np.ndarray:
    """Item by item, as one would explain it."""
    chosen = np.zeros((data.users, data.items))
    chosen[data.training_users, data.training_items] = 1
    scores = np.zeros(data.candidates.shape)
    for row, user in enumerate(data.ranked_users):
        for column, item in enumerate(data.candidates[row]):
            lengths = np.linalg.norm(chosen, axis=0) * np.linalg.norm(chosen[:, item])
            cosines = np.divide(chosen.T @ chosen[:, item], lengths, out=np.zeros(data.items), where=lengths > 0)
            cosines[item] = 0
            nearest = cosines >= np.sort(cosines)[-neighbours]
            scores[row, column] = (cosines * nearest * chosen[user]).sum()
    return scores


def test_only_the_nearest_neighbours_count() -> None:
    rng = np.random.default_rng(0)
    users, items = np.divmod(rng.permutation(20 * 30)[:150], 30)
    candidates = np.array([rng.permutation(30)[:8] for _ in range(20)])
    data = Interactions(20, 30, users, items, np.arange(20), candidates)
    for neighbours in (1, 4, 30):
        np.testing.assert_allclose(item_neighbours(data, neighbours), reference(data, neighbours), atol=1e-12)


def test_the_baselines_on_movielens() -> None:
    data = movielens()
    rates = [hits(scores, 10).mean() for scores in (popularity(data), item_neighbours(data), item_neighbours(data, 50))]
    assert rates == [pytest.approx(rate, abs=0.02) for rate in (0.372, 0.504, 0.586)]


def test_the_baselines_on_the_simulated_choices() -> None:
    data = simulated_choices()
    rates = [hits(scores, 10).mean() for scores in (popularity(data), item_neighbours(data), item_neighbours(data, 50))]
    assert rates == [pytest.approx(rate, abs=0.002) for rate in (0.236, 0.595, 0.604)]
