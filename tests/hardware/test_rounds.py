from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dynas import DynasError
from dynas.algos.named import algorithm
from dynas.core.evaluation import Measure
from dynas.core.evaluator import Evaluator
from dynas.core.executor import Measured
from dynas.core.pareto import hypervolume
from dynas.core.problem import Batch
from dynas.core.space import Genotypes
from dynas.errors import DynasWarning
from dynas.executors.serial import Serial
from dynas.modes.linas import Linas
from dynas.predictors.named import predictor
from dynas.runs.store import RunStore
from tests.conftest import Analytic

pytestmark = pytest.mark.slow


class Shuffled:
    """Workers of which any may be done first."""

    def __init__(self, measure: Measure, workers: int, seed: int = 0) -> None:
        self.workers, self._measure, self._rng = workers, measure, np.random.default_rng(seed)
        self._waiting: list[Measured] = []
        self.most = 0

    def submit(self, genotypes: Genotypes) -> None:
        self._waiting += zip(genotypes, self._measure(genotypes), strict=True)
        self.most = max(self.most, len(self._waiting))

    def collect(self) -> Sequence[Measured]:
        if not self._waiting:
            return []
        running = min(self.workers, len(self._waiting))
        return [self._waiting.pop(int(self._rng.integers(running)))]

    def cancel(self) -> Genotypes:
        left = np.array([genotype for genotype, _ in self._waiting])
        self._waiting = []
        return left

    def close(self) -> None:
        self._waiting = []


def search(evaluate: Evaluator, rounds: str, **settings: object) -> Evaluator:
    mode = Linas(rounds=rounds, predicted_evaluations=500, **settings)  # type: ignore[arg-type]
    names = [one.name for one in evaluate.problem.objectives if not one.exact]
    mode.run(evaluate, algorithm("nsga2"), dict.fromkeys(names, predictor("ridge")), np.random.default_rng(0))
    return evaluate


def test_fixed_rounds_give_the_same_whoever_is_done_first(analytic_mbv3: Analytic) -> None:
    problem, measure = analytic_mbv3.problem(), analytic_mbv3.measure()
    alone = search(Evaluator(problem, Serial(measure), 60), "fixed").measured
    for seed in range(3):
        several = search(Evaluator(problem, Shuffled(measure, 4, seed), 60), "fixed").measured
        np.testing.assert_array_equal(several.genotypes, alone.genotypes)
        np.testing.assert_array_equal(several.losses, alone.losses)


def test_more_workers_than_a_round_holds_are_warned_of(analytic_mbv3: Analytic) -> None:
    problem, measure = analytic_mbv3.problem(), analytic_mbv3.measure()
    with pytest.warns(DynasWarning, match="16 workers for rounds of 10 candidates.*mode.rounds=workers"):
        search(Evaluator(problem, Shuffled(measure, 16), 40), "fixed")


@pytest.mark.parametrize(("workers", "size"), [(1, 10), (4, 12), (16, 16)])
def test_rounds_follow_the_workers(analytic_mbv3: Analytic, workers: int, size: int) -> None:
    problem, measure = analytic_mbv3.problem(), analytic_mbv3.measure()
    evaluate = search(Evaluator(problem, Shuffled(measure, workers), 20 + 2 * size), "workers")
    iterations = [one.iteration for one in evaluate.history]
    assert [iterations.count(number) for number in (1, 2, 3)] == [20, size, size]


@pytest.mark.parametrize("workers", [1, 3, 16])
def test_asynchronous_rounds_keep_all_workers_busy_and_measure_nothing_twice(
    analytic_mbv3: Analytic, workers: int
) -> None:
    pool = Shuffled(analytic_mbv3.measure(), workers)
    evaluate = search(Evaluator(analytic_mbv3.problem(), pool, 50), "asynchronous")
    assert len(evaluate.history) == 50
    assert len(evaluate.seen()) == 50
    assert pool.most <= max(20, workers)
    assert [one.index for one in evaluate.history] == list(range(1, 51))
    proposals = evaluate.iteration - 1
    assert proposals >= 50 - 20 - workers + 1, "one candidate for each that is done"


def test_asynchronous_rounds_find_what_fixed_ones_find(analytic_mbv3: Analytic) -> None:
    problem, measure = analytic_mbv3.problem(), analytic_mbv3.measure()
    random = Evaluator(problem, Serial(measure), 80)(problem.space.sample_distinct(80, np.random.default_rng(1)))
    reference = random.losses.max(axis=0)

    def volume(batch: Batch) -> float:
        return hypervolume(batch.front().losses, reference)

    found, usual = (
        volume(search(Evaluator(problem, Shuffled(measure, 4), 80), rounds).measured)
        for rounds in ("asynchronous", "fixed")
    )
    assert found - volume(random) > 0.9 * (usual - volume(random)) > 0


def test_an_asynchronous_run_goes_on_with_all_that_is_stored(tmp_path: Path, analytic_mbv3: Analytic) -> None:
    problem, measure = analytic_mbv3.problem(), analytic_mbv3.measure()

    def run(budget: int, seed: int) -> Evaluator:
        store = RunStore(tmp_path, problem.space, problem.objectives)
        evaluate = search(Evaluator(problem, Shuffled(measure, 4, seed), budget, store), "asynchronous")
        store.close()
        return evaluate

    for budget in (7, 33, 33, 60):  # within the first measurements, after them, without any change, to the end
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        evaluate = run(budget, budget)
        assert len(evaluate.history) == len(evaluate.seen()) == budget
        text = (tmp_path / "results.csv").read_bytes()
        assert text.startswith(before.get("results.csv", b""))
        assert len(text.splitlines()) == budget + 1
    assert sorted(one.index for one in evaluate.history) == list(range(1, 61))


def test_an_unknown_kind_of_rounds_is_refused() -> None:
    with pytest.raises(DynasError, match=r"mode\.rounds 'square': choose one of asynchronous, fixed, workers"):
        Linas(rounds="square")
