"""Sums of scores: exact where a problem is additive, and limits that hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynas.core.evaluation import Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Objective
from dynas.core.pareto import non_dominated
from dynas.core.problem import Problem
from dynas.core.space import SearchSpace
from dynas.core.stopping import Stopping
from dynas.errors import DynasWarning
from dynas.executors.serial import Serial
from dynas.modes.additive import Additive, changed_in_one
from dynas.modes.knapsack import lightest_within
from dynas.testing.spaces import small
from tests.helpers.modes import PREDICTORS, named_algorithm

SPACE = small()


def everything(space: SearchSpace) -> np.ndarray:
    ranges = np.meshgrid(*map(np.arange, space.cardinality), indexing="ij")
    return np.unique(space.canonical(np.stack([one.ravel() for one in ranges], axis=1)), axis=0)


ALL = everything(SPACE)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_the_knapsack_finds_what_trying_everything_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, costs = rng.normal(size=SPACE.n_features), rng.normal(size=(2, SPACE.n_features))
    features = SPACE.one_hot(ALL)
    limits = np.quantile(features @ costs.T, rng.uniform(0.05, 0.9), axis=0)
    fits = (features @ costs.T <= limits + 1e-9).all(axis=1)
    found = lightest_within(SPACE, weights, costs, limits)
    if not fits.any():
        assert found is None
        return
    assert found is not None
    mine = SPACE.one_hot(found[None])[0]
    assert (mine @ costs.T <= limits + 1e-6).all()
    assert mine @ weights == pytest.approx((features @ weights)[fits].min(), abs=1e-6)


def test_features_and_genotypes_are_the_same() -> None:
    matrix, right, upper = SPACE.equations()
    features = SPACE.one_hot(ALL)
    assert np.array_equal(SPACE.from_one_hot(features), ALL)
    assert np.array_equal(features @ matrix.T, np.broadcast_to(right, (len(ALL), len(right))))
    assert (features <= upper).all()


def test_changes_are_of_one_gene_each() -> None:
    rows = changed_in_one(SPACE, np.random.default_rng(0))
    assert np.array_equal(rows[0], SPACE.largest())
    own = SPACE.one_hot(rows[:1]) > 0
    assert ((SPACE.one_hot(rows[1:]) > 0) & ~own).sum(axis=1).tolist() == [1] * (len(rows) - 1)
    assert len(np.unique(rows, axis=0)) == len(rows)


def run(measure: Any, objectives: tuple[Objective, ...], budget: int, start: Any = None) -> Evaluator:
    def measured(rows: np.ndarray) -> Any:
        for row in rows:
            yield Measurement(tuple(measure(row)), 0.0)

    evaluate = Evaluator(Problem(SPACE, objectives), Serial(measured), budget, stopping=Stopping(max_failures=None))
    algorithm = named_algorithm("random", population=4)
    Additive().run(evaluate, algorithm, PREDICTORS, np.random.default_rng(0), None, start)
    return evaluate


WEIGHTS = np.random.default_rng(3).uniform(0.1, 1, (2, SPACE.n_features))


def additive(row: np.ndarray) -> tuple[float, float]:
    """Quality, which grows with the features, and cost."""
    return tuple(SPACE.one_hot(row[None])[0] @ WEIGHTS.T)


BOTH = (Objective("quality", "max", ""), Objective("cost", "min", ""))


def test_of_an_additive_problem_the_convex_and_other_best_are_found() -> None:
    singles = len(changed_in_one(SPACE, np.random.default_rng(0)))
    evaluate = run(additive, BOTH, singles + 6)
    chosen = evaluate.measured.losses[singles:]
    values = np.array([additive(row) for row in ALL]) * [-1, 1]
    best = {tuple(np.round(row, 9)) for row in values[non_dominated(values)]}
    assert sum(tuple(np.round(row, 9)) in best for row in chosen) >= 4, "the rest is random once all are found"


def test_bounds_are_kept_to() -> None:
    cheap = Objective("cost", "min", "", float(np.quantile([additive(row)[1] for row in ALL], 0.3)))
    singles = len(changed_in_one(SPACE, np.random.default_rng(0)))
    evaluate = run(additive, (BOTH[0], cheap), singles + 2)
    assert (evaluate.measured.violation[singles:] <= 1e-9).all()


def test_one_that_fails_is_not_chosen_and_without_the_largest_all_is_random() -> None:
    def fails(row: np.ndarray) -> tuple[float, float]:
        return (np.nan, np.nan) if row[0] == 0 else additive(row)

    def never(row: np.ndarray) -> tuple[float, float]:
        return (np.nan, np.nan) if np.array_equal(row, SPACE.largest()) else additive(row)

    singles = len(changed_in_one(SPACE, np.random.default_rng(0)))
    assert (run(fails, BOTH, singles + 3).measured.genotypes[singles : singles + 2, 0] > 0).all()
    assert len(run(never, BOTH, singles + 3).history) == singles + 3


def test_a_warm_start_comes_first() -> None:
    start = SPACE.canonical(SPACE.smallest()[None])
    with pytest.warns(DynasWarning, match="budget=5 ends among the 8 sub-networks .*: give budget=16 or more"):
        assert np.array_equal(run(additive, BOTH, 5, start).measured.genotypes[0], start[0])
