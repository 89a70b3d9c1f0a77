"""Expected hypervolume improvement of batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas.core.objectives import Values
from dynas.core.pareto import hypervolume
from dynas.modes.expected import Areas, Volumes, best_batch, dominated

seeds = st.integers(0, 10**6)


def gain(samples: Values, fronts: list[Values], reference: Values) -> float:
    """Return the mean hypervolume that one candidate's samples ``(S, M)`` add to the fronts."""
    return float(
        np.mean(
            [
                hypervolume(np.vstack([front, sample]), reference) - hypervolume(front, reference)
                for sample, front in zip(samples, fronts, strict=True)
            ]
        )
    )


@given(seeds, st.integers(1, 2), st.integers(0, 4))
def test_each_candidate_of_a_batch_adds_most_to_those_before_it(seed: int, m: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    losses, front, reference = rng.random((3, 8, m)) * 1.2, rng.random((size, m)), np.ones(m)
    fronts = [front] * 3
    for row in best_batch(losses, front, reference, 4, rng):
        gains = [gain(losses[:, one], fronts, reference) for one in range(8)]
        assert gains[row] == pytest.approx(max(gains))
        assert gains[row] > 0
        fronts = [np.vstack([front, sample]) for front, sample in zip(fronts, losses[:, row], strict=True)]


@pytest.mark.parametrize("m", [3, 4])
def test_volumes_of_more_objectives_are_estimated(m: int) -> None:
    rng = np.random.default_rng(0)
    samples, front = -rng.random((6, 20, m)), -rng.random((5, m))
    estimated = Volumes(samples, front, rng).expected()
    exact = [gain(samples[:, one], [front] * 6, np.zeros(m)) for one in range(20)]
    assert np.corrcoef(estimated, exact)[0, 1] > 0.98


def test_candidates_that_are_good_only_together_are_not_all_taken() -> None:
    """Two that are the same in every sample, and one that is a little worse elsewhere: the second is that one."""
    losses = np.array([[[0.1, 0.5], [0.1, 0.5], [0.5, 0.2]], [[0.3, 0.6], [0.3, 0.6], [0.6, 0.4]]])
    assert best_batch(losses, np.empty((0, 2)), np.ones(2), 2, np.random.default_rng(0)) == [0, 2]


def test_what_is_probably_beyond_a_bound_counts_less() -> None:
    losses = np.full((4, 2, 2), 0.5)
    losses[:3, 0] = np.inf  # better in the one sample that is allowed, and in no other
    losses[3, 0] = 0.4
    assert best_batch(losses, np.empty((0, 2)), np.ones(2), 1, np.random.default_rng(0)) == [1]
    assert best_batch(np.full((4, 2, 2), np.inf), np.empty((0, 2)), np.ones(2), 1, np.random.default_rng(0)) == []


def test_a_front_that_nothing_improves_ends_the_batch() -> None:
    losses = np.full((2, 3, 2), 0.6)
    assert best_batch(losses, np.array([[0.5, 0.5]]), np.ones(2), 3, np.random.default_rng(0)) == []
    assert Areas(losses - 1, np.empty((0, 2))).expected() == pytest.approx([0.16] * 3)


@given(seeds, st.integers(1, 4))
def test_points_behind_a_front_are_found(seed: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    points, front = rng.random((30, m)), rng.random((4, m))
    wanted = [(front <= point).all(axis=1).any() for point in points]
    np.testing.assert_array_equal(dominated(points, front), wanted)
