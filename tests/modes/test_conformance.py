"""What every search mode promises (see `dynas.core.mode`), with every algorithm: add new ones to the tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynas import DesignVariable, Objective, SearchSpace
from dynas.algos.named import ALGORITHMS
from dynas.core.evaluation import Measure, Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.pareto import hypervolume, nadir
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.runs.store import RunStore
from dynas.testing.analytic import BOUNDS
from dynas.testing.spaces import small
from tests.helpers.algorithms import fits
from tests.helpers.modes import MODES, POPULATION, search
from tests.helpers.pairs import pairwise

pytestmark = pytest.mark.slow

OF_ONE = [name for name in ALGORITHMS if fits(name, 1)]


def possible(algorithm: str = "random", n_objectives: int = 1, *others: Any) -> bool:
    return fits(algorithm, n_objectives)


with_every_algorithm = partial(pairwise, possible, algorithm=ALGORITHMS, n_objectives=(1, 2, 3), mode=MODES)


@with_every_algorithm(budget=(1, 4, 10, 37, 60), bound=BOUNDS)
def test_the_budget_is_spent_to_the_last_evaluation(
    analytic_mbv3: Any, mode: str, algorithm: str, n_objectives: int, budget: int, bound: str
) -> None:
    evaluate, watcher = search(
        analytic_mbv3.problem(n_objectives, analytic_mbv3.bound(bound)),
        analytic_mbv3.measure(n_objectives),
        mode,
        algorithm,
        budget,
    )
    keys = [evaluation.key for evaluation in evaluate.history]
    assert len(keys) == len(set(keys)) == budget
    assert evaluate.remaining == 0
    assert watcher.keys == keys
    np.testing.assert_array_equal(
        [evaluation.measurement.values for evaluation in evaluate.history],
        analytic_mbv3.values(evaluate.measured.genotypes, n_objectives),
    )


@with_every_algorithm(bound=BOUNDS)
def test_the_seed_decides_the_run(analytic_mbv3: Any, mode: str, algorithm: str, n_objectives: int, bound: str) -> None:
    problem, measure = (
        analytic_mbv3.problem(n_objectives, analytic_mbv3.bound(bound)),
        analytic_mbv3.measure(n_objectives),
    )
    first, same, other = (search(problem, measure, mode, algorithm, 27, seed)[1].keys for seed in (1, 1, 2))
    assert first == same
    assert set(first) != set(other)


def counted(measure: Measure, asked: list[bytes], stop_after: int | None = None) -> Measure:
    """Note in ``asked`` what is measured, and interrupt the run after so many."""

    def one_by_one(genotypes: Genotypes) -> Iterator[Measurement]:
        for row, measurement in zip(genotypes, measure(genotypes), strict=True):
            if stop_after is not None and len(asked) == stop_after:
                raise KeyboardInterrupt
            asked.append(row.tobytes())
            yield measurement

    return one_by_one


@with_every_algorithm(stop_after=(0, 3, 10, 22), bound=BOUNDS)
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    tmp_path: Path,
    analytic_mbv3: Any,
    mode: str,
    algorithm: str,
    n_objectives: int,
    stop_after: int,
    bound: str,
) -> None:
    problem = analytic_mbv3.problem(n_objectives, analytic_mbv3.bound(bound))
    measure = analytic_mbv3.measure(n_objectives, fails=lambda row: row.sum() % 7 == 0)
    whole, _ = search(problem, measure, mode, algorithm, 27)

    asked: list[bytes] = []
    store = RunStore(tmp_path, problem.space, problem.objectives)
    with pytest.raises(KeyboardInterrupt):
        search(problem, counted(measure, asked, stop_after), mode, algorithm, 27, store=store)
    store.close()
    assert len(asked) == stop_after

    store = RunStore(tmp_path, problem.space, problem.objectives)
    assert len(store) == stop_after, "everything that was measured is on disk"
    resumed, watcher = search(problem, counted(measure, asked), mode, algorithm, 27, store=store)
    store.close()
    assert watcher.keys == [evaluation.key for evaluation in whole.history]
    assert len(asked) == len(set(asked)) == 27, "nothing is paid for twice"
    np.testing.assert_array_equal(resumed.measured.losses, whole.measured.losses)
    places = [(evaluation.index, evaluation.iteration) for evaluation in resumed.history]
    assert places == [(evaluation.index, evaluation.iteration) for evaluation in whole.history]


@with_every_algorithm()
def test_a_finished_run_measures_nothing_again(
    tmp_path: Path, analytic_mbv3: Any, mode: str, algorithm: str, n_objectives: int
) -> None:
    problem, measure = analytic_mbv3.problem(n_objectives), analytic_mbv3.measure(n_objectives)
    store = RunStore(tmp_path, problem.space, problem.objectives)
    search(problem, measure, mode, algorithm, 25, store=store)
    store.close()
    asked: list[bytes] = []
    store = RunStore(tmp_path, problem.space, problem.objectives)
    evaluate, _ = search(problem, counted(measure, asked), mode, algorithm, 25, store=store)
    assert asked == []
    assert len(evaluate.history) == 25
    store.close()


@with_every_algorithm()
def test_a_space_smaller_than_the_budget_is_measured_whole(
    analytic: Any, everything: Any, mode: str, algorithm: str, n_objectives: int
) -> None:
    space = small()
    problem = analytic(space)
    evaluate, _ = search(problem.problem(n_objectives), problem.measure(n_objectives), mode, algorithm, 100)
    assert evaluate.seen() == everything(space)
    assert len(evaluate.history) == 36, "four iterations"


@with_every_algorithm()
def test_a_space_of_three_sub_networks_is_measured_whole(
    analytic: Any, tiny_space: SearchSpace, mode: str, algorithm: str, n_objectives: int
) -> None:
    tiny = analytic(tiny_space)
    evaluate, _ = search(tiny.problem(n_objectives), tiny.measure(n_objectives), mode, algorithm, 50)
    assert len(evaluate.history) == 3


@with_every_algorithm(bound=BOUNDS)
def test_failed_candidates_cost_budget_and_are_never_chosen(
    analytic_mbv3: Any, mode: str, algorithm: str, n_objectives: int, bound: str
) -> None:
    measure = analytic_mbv3.measure(n_objectives, fails=lambda row: row.sum() % 3 == 0)
    evaluate, _ = search(analytic_mbv3.problem(n_objectives, analytic_mbv3.bound(bound)), measure, mode, algorithm, 45)
    failed = np.array([bool(evaluation.measurement.error) for evaluation in evaluate.history])
    assert 0 < failed.sum() < 45
    assert evaluate.remaining == 0
    front = evaluate.measured.front()
    assert all(row.sum() % 3 for row in front.genotypes)
    np.testing.assert_array_equal(evaluate.measured.measured, ~failed)


@pytest.mark.parametrize("mode", MODES)
def test_nothing_but_exact_objectives_is_searched_too(analytic_mbv3: Any, mode: str) -> None:
    space = analytic_mbv3.space
    exact = {"cost": analytic_mbv3.cost, "noise": analytic_mbv3.noise}
    objectives = tuple(Objective(name, "min", "1", exact=True) for name in exact)

    def measure(genotypes: Genotypes) -> Iterator[Measurement]:
        for values in np.stack([count(genotypes) for count in exact.values()], axis=1):
            yield Measurement(tuple(map(float, values)))

    evaluate, watcher = search(Problem(space, objectives, exact), measure, mode, "nsga2", 30)
    assert len(evaluate.history) == 30
    assert all(quality == [] for _, quality in watcher.qualities)


@pairwise(mode=MODES, algorithm=OF_ONE)
def test_a_single_measured_objective_is_searched_too(analytic_mbv3: Any, mode: str, algorithm: str) -> None:
    problem = Problem(analytic_mbv3.space, (Objective("quality", "max", "points"),))

    def measure(genotypes: Genotypes) -> Iterator[Measurement]:
        yield from (Measurement((float(value),)) for value in analytic_mbv3.quality(genotypes))

    evaluate, _ = search(problem, measure, mode, algorithm, 60)
    assert len(evaluate.history) == 60
    assert len(evaluate.measured.front()) == 1


@pairwise(mode=MODES, algorithm=OF_ONE)
def test_what_always_fails_costs_the_budget_and_nothing_else(analytic_mbv3: Any, mode: str, algorithm: str) -> None:
    problem, measure = analytic_mbv3.problem(1), analytic_mbv3.measure(1, fails=lambda row: True)
    evaluate, watcher = search(problem, measure, mode, algorithm, 45, max_failures=None)
    assert len(evaluate.history) == len(set(watcher.keys)) == 45
    assert all(evaluation.measurement.error == "out of memory" for evaluation in evaluate.history)
    assert watcher.qualities == [], "nothing can be learnt from failures"
    stopped, _ = search(problem, measure, mode, algorithm, 45)
    assert len(stopped.history) < 45
    assert stopped.stopping.reason.endswith("evaluations failed for the same reason: out of memory")


def losses(evaluate: Evaluator) -> np.ndarray:
    return evaluate.measured.losses


def test_linas_is_worth_more_than_validation_at_the_same_budget(analytic_mbv3: Any) -> None:
    problem, measure = analytic_mbv3.problem(), analytic_mbv3.measure()
    alone = [search(problem, measure, "validation", "nsga2", 80, seed)[0] for seed in range(3)]
    predicting = [search(problem, measure, "linas", "nsga2", 80, seed)[0] for seed in range(3)]
    reference = nadir(np.concatenate([losses(evaluate) for evaluate in alone]))
    volumes = [[hypervolume(losses(evaluate), reference) for evaluate in runs] for runs in (alone, predicting)]
    assert min(volumes[1]) > max(volumes[0])


def test_linas_tells_the_quality_of_each_predictor_in_each_iteration(analytic_mbv3: Any) -> None:
    _, watcher = search(analytic_mbv3.problem(3), analytic_mbv3.measure(3), "linas", "nsga2", 45)
    assert [iteration for iteration, _ in watcher.qualities] == [1, 2, 3, 4], "not after the last measurements"
    for iteration, qualities in watcher.qualities:
        assert [quality.objective for quality in qualities] == ["quality", "noise"], "exact ones are not predicted"
        assert [quality.examples for quality in qualities] == [POPULATION * iteration] * 2
        assert all(quality.mape > 0 and -1 <= quality.kendall_tau <= 1 for quality in qualities)


def test_validation_trains_no_predictors(analytic_mbv3: Any) -> None:
    assert search(analytic_mbv3.problem(), analytic_mbv3.measure(), "validation", "nsga2", 30)[1].qualities == []


def test_linas_proposes_candidates_within_the_bound(analytic_mbv3: Any) -> None:
    bound = analytic_mbv3.cost_bound(0.1)
    evaluate, _ = search(analytic_mbv3.problem(2, bound), analytic_mbv3.measure(), "linas", "nsga2", 60)
    within = evaluate.measured.violation <= 0
    assert within[:POPULATION].mean() < 0.5
    assert within[POPULATION:].mean() > 0.8, "the cost is exact, so a proposal beyond the bound is a choice"


def test_linas_works_where_every_gene_has_one_option_left(analytic: Any) -> None:
    fixed = analytic(SearchSpace([DesignVariable("ks", (3,), 4), DesignVariable("d", (1, 2), 3)]))
    evaluate, _ = search(fixed.problem(), fixed.measure(), "linas", "nsga2", 30)
    assert len(evaluate.history) == 8
