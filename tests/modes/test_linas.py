"""What is special to LINAS: its schedule and its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dynas import DynasError
from dynas.algos.named import algorithm
from dynas.core.evaluator import Evaluator
from dynas.core.pareto import hypervolume
from dynas.executors.serial import Serial
from dynas.modes.linas import Linas
from tests.helpers.modes import PREDICTORS


def run(analytic: Any, mode: Linas, budget: int, start: Any = None, known: Any = None) -> Evaluator:
    evaluate = Evaluator(analytic.problem(), Serial(analytic.measure()), budget, known=known)
    make_algorithm = algorithm("nsga2", population=10)
    mode.check(evaluate.problem, make_algorithm)
    mode.run(evaluate, make_algorithm, PREDICTORS, np.random.default_rng(0), start=start)
    return evaluate


def sizes(evaluate: Evaluator) -> list[int]:
    return np.bincount([evaluation.iteration for evaluation in evaluate.history])[1:].tolist()


def test_every_iteration_has_the_population_of_the_schedule(analytic_mbv3: Any) -> None:
    mode = Linas(20, 200, {3: {"population": 7}, 5: {"population": 12}})
    assert sizes(run(analytic_mbv3, mode, 80)) == [20, 20, 7, 7, 12, 12, 2]


def test_the_inner_algorithm_and_the_predictors_may_change(analytic_mbv3: Any) -> None:
    made: list[str] = []

    def noted(name: str) -> Any:
        def make(*arguments: Any, **settings: Any) -> Any:
            made.append(name)
            return algorithm(name, population=10)(*arguments, **settings)

        return make

    trained: list[str] = []

    class Mean:
        def fit(self, features: Any, target: Any) -> None:
            trained.append("mean")
            self.mean = target.mean()

        def predict(self, features: Any) -> Any:
            return np.full(len(features), self.mean)

    changes = {"make_algorithm": noted("random"), "make_predictors": {"quality": Mean}}
    mode = Linas(10, 100, {3: changes}, start_size=None)
    evaluate = Evaluator(analytic_mbv3.problem(), Serial(analytic_mbv3.measure()), 40)
    mode.run(evaluate, noted("nsga2"), PREDICTORS, np.random.default_rng(0))
    assert made == ["nsga2", "random", "random"]
    assert trained == ["mean", "mean"], "one objective is measured, in two iterations"


def test_an_algorithm_of_the_schedule_is_checked_before_anything_is_measured(analytic_mbv3: Any) -> None:
    mode = Linas(10, 100, {3: {"make_algorithm": algorithm("ga")}})
    with pytest.raises(DynasError, match="algo=ga"):
        mode.check(analytic_mbv3.problem(), algorithm("nsga2"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"population": 0}, r"mode\.population >= 1"),
        ({"predicted_evaluations": 9}, r"predicted_evaluations >= mode\.population, got 10 and 9"),
        ({"schedule": {0: {}}}, "counts iterations from 1, got 0"),
        ({"schedule": {2: {"budget": 3}}}, "unknown change in mode.schedule 'budget'"),
    ],
)
def test_senseless_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        Linas(**settings)


def test_a_senseless_number_in_the_schedule_is_refused(analytic_mbv3: Any) -> None:
    with pytest.raises(DynasError, match=r"mode\.population >= 1"):
        Linas(schedule={2: {"population": 0}}).check(analytic_mbv3.problem(), algorithm("nsga2"))


def test_a_warm_start_is_measured_first(analytic_mbv3: Any) -> None:
    start = analytic_mbv3.space.sample_distinct(6, np.random.default_rng(9))
    evaluate = run(analytic_mbv3, Linas(10, 100, start_size=12), 32, start)
    np.testing.assert_array_equal(evaluate.measured.genotypes[:6], start)
    assert sizes(evaluate) == [12, 10, 10]


def test_what_earlier_runs_know_makes_the_first_round_short_and_the_next_ones_good(analytic_mbv3: Any) -> None:
    rows = analytic_mbv3.space.sample_distinct(150, np.random.default_rng(3))
    known = {"quality": (rows, analytic_mbv3.quality(rows))}
    alone, taught, same = (run(analytic_mbv3, Linas(10, 300), 40, known=one) for one in (None, known, known))
    assert sizes(alone) == [20, 10, 10]
    assert sizes(taught) == [10, 10, 10, 10]
    reference = alone.measured.losses.max(axis=0)
    volumes = [hypervolume(clipped(one.measured.losses, reference), reference) for one in (alone, taught)]
    assert volumes[1] > volumes[0]
    assert [one.key for one in same.history] == [one.key for one in taught.history]


def clipped(losses: Any, reference: Any) -> Any:
    return losses[(losses <= reference).all(axis=1)]
