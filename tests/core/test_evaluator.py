from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas import DynasError, Objective, SearchSpace
from dynas.algos.named import algorithm
from dynas.core.evaluation import Evaluation, Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.problem import Batch, Problem, make_batch
from dynas.core.space import Genotypes
from dynas.executors.serial import Serial
from dynas.modes.validation import Validation
from dynas.runs.store import RunStore

OBJECTIVES = (Objective("top1", "max", "%", bound=70.0), Objective("latency", "min", "ms"))


class Bench:
    """Measures top1 = 60 + the sum of the genes, latency = the first gene; remembers what it was asked."""

    def __init__(self, fails: Callable[[np.ndarray], bool] = lambda genotype: False) -> None:
        self.asked: list[bytes] = []
        self._fails = fails

    def __call__(self, genotypes: Genotypes) -> Iterator[Measurement]:
        for row in genotypes:
            self.asked.append(row.tobytes())
            if self._fails(row):
                yield Measurement((np.nan, 1.0), error="ValueError: no")
            else:
                yield Measurement((60.0 + 5 * row.sum(), float(row[0])), {"runs [1]": 3.0}, 0.5)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 60), st.integers(0, 1000))
def test_the_budget_is_spent_exactly_and_nothing_is_measured_twice(
    gated_space: SearchSpace, sizes: list[int], budget: int, seed: int
) -> None:
    bench, rng = Bench(), np.random.default_rng(seed)
    evaluate = Evaluator(Problem(gated_space, OBJECTIVES), Serial(bench), budget)
    wanted: list[bytes] = []
    for size in sizes:
        genotypes = gated_space.random_genes(size, rng)
        canonical = gated_space.canonical(genotypes)
        for row in canonical:
            if row.tobytes() not in wanted and len(wanted) < budget:
                wanted.append(row.tobytes())
        batch = evaluate(genotypes)
        known = [row for row in canonical if row.tobytes() in wanted]
        np.testing.assert_array_equal(batch.genotypes, np.array(known).reshape(-1, gated_space.n_genes))
        np.testing.assert_array_equal(batch.losses[:, 0], [-(60.0 + 5 * row.sum()) for row in known])
    assert bench.asked == wanted, "measured once each, in the order of asking"
    assert evaluate.remaining == budget - len(wanted)
    assert [row.tobytes() for row in evaluate.measured.genotypes] == wanted
    assert evaluate.seen() == set(wanted)
    assert [evaluation.index for evaluation in evaluate.history] == list(range(1, len(wanted) + 1))


def test_the_iteration_counts_calls_that_measured_something(gated_space: SearchSpace) -> None:
    evaluate = Evaluator(Problem(gated_space, OBJECTIVES), Serial(Bench()), 10)
    rows = gated_space.sample_distinct(5, np.random.default_rng(0))
    for part in (rows[:2], rows[:2], rows[1:4], rows[4:]):
        evaluate(part)
    assert [evaluation.iteration for evaluation in evaluate.history] == [1, 1, 2, 2, 3]


def test_a_failed_candidate_violates_its_bounds_for_ever_and_is_in_no_front(gated_space: SearchSpace) -> None:
    rows = gated_space.sample_distinct(30, np.random.default_rng(0))
    evaluate = Evaluator(Problem(gated_space, OBJECTIVES), Serial(Bench(lambda row: row[0] == 0)), 30)
    batch = evaluate(rows)
    failed = rows[:, 0] == 0
    assert 0 < failed.sum() < 30
    assert np.isinf(batch.violation[failed]).all()
    assert np.isnan(batch.losses[failed]).all(), "also the objective that could be measured"
    np.testing.assert_array_equal(batch.measured, ~failed)
    assert len(batch.front())
    assert (batch.front().genotypes[:, 0] > 0).all()
    assert evaluate.remaining == 0, "a failed candidate costs budget"


def test_a_bound_adds_its_relative_excess_and_bars_from_the_front(gated_space: SearchSpace) -> None:
    rows = gated_space.canonical(np.array([[0, 0, 0, 0, 1, 0], [2, 0, 0, 0, 1, 0], [1, 0, 1, 0, 0, 1]]))
    batch = Evaluator(Problem(gated_space, OBJECTIVES), Serial(Bench()), 3)(rows)
    np.testing.assert_allclose(batch.violation, [(70 - 65) / 70, 0.0, 0.0])
    np.testing.assert_array_equal(batch.front().genotypes, rows[1:] if rows[1, 0] < rows[2, 0] else rows[2:])


def test_a_front_of_nothing_but_failures_is_empty(gated_space: SearchSpace) -> None:
    rows = gated_space.sample_distinct(4, np.random.default_rng(0))
    batch = make_batch(Problem(gated_space, OBJECTIVES), rows, np.full((4, 2), np.nan))
    assert len(batch.front()) == 0
    assert batch.front().losses.shape == (0, 2)


@given(st.integers(0, 2**32))
def test_the_front_holds_exactly_what_no_allowed_candidate_beats(gated_space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = gated_space.sample_distinct(12, rng)
    values = rng.integers(0, 5, (12, 2)).astype(float) + np.array([68.0, 0.0])
    values[rng.random(12) < 0.2] = np.nan
    front = make_batch(Problem(gated_space, OBJECTIVES), rows, values).front()
    allowed = [index for index in range(12) if values[index, 0] >= 70]

    def beats(one: int, other: int) -> bool:
        (top1, latency), (other_top1, other_latency) = values[one], values[other]
        return top1 >= other_top1 and latency <= other_latency and (top1 > other_top1 or latency < other_latency)

    best = [index for index in allowed if not any(beats(other, index) for other in allowed)]
    np.testing.assert_array_equal(front.genotypes, rows[best])


def test_values_that_are_infinite_count_as_failed(gated_space: SearchSpace) -> None:
    rows = gated_space.sample_distinct(2, np.random.default_rng(0))
    batch = make_batch(Problem(gated_space, OBJECTIVES), rows, np.array([[75.0, np.inf], [75.0, 3.0]]))
    assert batch.measured.tolist() == [False, True]
    assert np.isinf(batch.violation[0])


class Watcher:
    """Notes the keys that it hears of, and what the store held at that moment."""

    def __init__(self, store: RunStore) -> None:
        self.told: list[str] = []
        self.stored: list[bool] = []
        self._store = store

    def evaluated(self, evaluation: Evaluation) -> None:
        self.told.append(evaluation.key)
        self.stored.append(self._store.find(evaluation.key) is not None)

    def fitted(self, iteration: int, quality: Any) -> None:
        raise AssertionError("nothing was fitted")


def test_an_evaluation_is_stored_before_anyone_hears_of_it(tmp_path: Path, gated_space: SearchSpace) -> None:
    store = RunStore(tmp_path, gated_space, OBJECTIVES, ("runs [1]",))
    watcher = Watcher(store)
    evaluate = Evaluator(Problem(gated_space, OBJECTIVES), Serial(Bench()), 6, store, watcher)
    rows = gated_space.sample_distinct(8, np.random.default_rng(0))
    assert len(evaluate(rows)) == 6
    assert watcher.told == [gated_space.key(row) for row in rows[:6]]
    assert all(watcher.stored)
    assert len(store) == 6
    store.close()


def test_a_resumed_run_is_answered_from_its_rows(tmp_path: Path, gated_space: SearchSpace) -> None:
    problem = Problem(gated_space, OBJECTIVES)
    rows = gated_space.sample_distinct(12, np.random.default_rng(0))
    fails = lambda row: row[0] == 0  # noqa: E731
    store = RunStore(tmp_path, gated_space, OBJECTIVES, ("runs [1]",))
    first = Evaluator(problem, Serial(Bench(fails)), 12, store)
    before = first(rows[:7])
    store.close()

    store = RunStore(tmp_path, gated_space, OBJECTIVES, ("runs [1]",))
    bench = Bench(fails)
    watcher = Watcher(store)
    again = Evaluator(problem, Serial(bench), 12, store, watcher)
    order = [0, 1, 2, 3, 4, 5, 6, 9, 10]
    batch = again(rows[order])
    assert bench.asked == [rows[9].tobytes(), rows[10].tobytes()], "nothing is measured twice"
    np.testing.assert_array_equal(batch.genotypes, rows[order])
    np.testing.assert_array_equal(batch.losses[:7], before.losses)
    np.testing.assert_array_equal(batch.violation[:7], before.violation)
    assert again.remaining == 3, "remembered rows count as measured"
    assert watcher.told == [gated_space.key(rows[index]) for index in (0, 1, 2, 3, 4, 5, 6, 9, 10)]
    assert len(store) == 9
    store.close()


def test_a_crash_while_measuring_keeps_what_was_measured(tmp_path: Path, gated_space: SearchSpace) -> None:
    def breaks(genotypes: Genotypes) -> Iterator[Measurement]:
        yield from Bench()(genotypes[:3])
        raise KeyboardInterrupt

    store = RunStore(tmp_path, gated_space, OBJECTIVES, ("runs [1]",))
    rows = gated_space.sample_distinct(5, np.random.default_rng(0))
    evaluate = Evaluator(Problem(gated_space, OBJECTIVES), Serial(breaks), 5, store)
    with pytest.raises(KeyboardInterrupt):
        evaluate(rows)
    store.close()
    assert [evaluation.key for evaluation in evaluate.history] == [gated_space.key(row) for row in rows[:3]]
    assert len(RunStore(tmp_path, gated_space, OBJECTIVES, ("runs [1]",))) == 3


def test_a_genotype_of_another_space_is_refused(gated_space: SearchSpace) -> None:
    evaluate = Evaluator(Problem(gated_space, OBJECTIVES), Serial(Bench()), 5)
    with pytest.raises(DynasError, match="has 6 genes"):
        evaluate(np.zeros((1, 5), dtype=np.int64))


def test_a_batch_of_some_rows_keeps_them_together() -> None:
    batch = Batch(np.arange(6).reshape(3, 2), np.arange(6.0).reshape(3, 2), np.arange(3.0))
    part = batch.select(np.array([2, 0]))
    assert len(part) == 2
    np.testing.assert_array_equal(part.genotypes, [[4, 5], [0, 1]])
    np.testing.assert_array_equal(part.losses, [[4, 5], [0, 1]])
    np.testing.assert_array_equal(part.violation, [2, 0])


@pytest.mark.parametrize("budget", [20, 23])
def test_a_search_goes_on_with_a_larger_budget_and_measures_nothing_twice(
    analytic_mbv3: Any, tmp_path: Path, budget: int
) -> None:
    asked: list[int] = []

    def measure(genotypes: Genotypes) -> Iterator[Measurement]:
        asked.append(len(genotypes))
        yield from analytic_mbv3.measure()(genotypes)

    problem = analytic_mbv3.problem()
    for total, extended in ((budget, False), (50, True)):
        store = RunStore(tmp_path, problem.space, problem.objectives)
        evaluate = Evaluator(problem, Serial(measure), total, store, extended=extended)
        Validation().run(evaluate, algorithm("nsga2", population=10), {}, np.random.default_rng(0))
        store.close()
    assert sum(asked) == 50
    assert [one.index for one in evaluate.history] == list(range(1, 51))


def test_rows_of_another_search_are_refused_before_anything_is_measured(analytic_mbv3: Any, tmp_path: Path) -> None:
    problem = analytic_mbv3.problem()
    for seed in (0, 1):
        store = RunStore(tmp_path, problem.space, problem.objectives)
        evaluate = Evaluator(problem, Serial(analytic_mbv3.measure()), 20, store)
        search = partial(
            Validation().run, evaluate, algorithm("random", population=10), {}, np.random.default_rng(seed)
        )
        if seed == 0:
            search()
        else:
            with pytest.raises(DynasError, match="which this search would not ask for there"):
                search()
        store.close()
    assert len(store.history) == 20
