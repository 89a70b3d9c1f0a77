"""What every search algorithm promises (see `dynas.algos.base`), over all of them: add new ones to ``ALGORITHMS``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from dynas import DynasError, SearchSpace
from dynas.algos.base import OBJECTIVES, SearchAlgorithm
from dynas.algos.named import ALGORITHMS, algorithm
from dynas.evaluate import Batch, Problem, make_batch
from dynas.pareto import hypervolume, nadir
from dynas.space import Genotypes

POPULATION = 20


def fits(name: str, n_objectives: int) -> bool:
    least, most = OBJECTIVES[name]
    return least <= n_objectives and (most is None or n_objectives <= most)


CASES = [(name, m) for name in ALGORITHMS for m in (1, 2, 3) if fits(name, m)]


class Search:
    """Runs one algorithm on the analytic problem and keeps what was asked."""

    def __init__(
        self,
        analytic: Any,
        name: str,
        n_objectives: int = 2,
        bound: float | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        start = settings.pop("start", None)
        self.analytic, self.n_objectives = analytic, n_objectives
        self.space: SearchSpace = analytic.space
        self.problem: Problem = analytic.problem(n_objectives, bound)
        make = algorithm(name, **({"population": POPULATION} | settings))
        self.algorithm = make(self.space, n_objectives, np.random.default_rng(seed), start)
        self.asked: list[Genotypes] = []

    def answer(self, genotypes: Genotypes, fails: Callable[[np.ndarray], bool] = lambda row: False) -> Batch:
        values = self.analytic.values(genotypes, self.n_objectives)
        values[[fails(row) for row in genotypes]] = np.nan
        return make_batch(self.problem, genotypes, values)

    def run(self, evaluations: int, respond: Callable[[Genotypes], Batch] | None = None) -> Search:
        """Ask and tell until so many candidates were asked for, or none are left."""
        count = 0
        while count < evaluations and len(rows := self.algorithm.ask()):
            self.asked.append(rows)
            count += len(rows)
            self.algorithm.tell((respond or self.answer)(rows))
        return self

    @property
    def rows(self) -> Genotypes:
        return np.concatenate(self.asked)

    def never_asked_twice(self) -> bool:
        return len({row.tobytes() for row in self.rows}) == len(self.rows)


@pytest.fixture(params=[None, 0.3, 0.0], ids=["unbounded", "bounded", "hardly possible"])
def bound(request: pytest.FixtureRequest, analytic_mbv3: Any) -> float | None:
    """No bound on the cost, one that three in ten random sub-networks keep, and one that none of 500 keeps."""
    return None if request.param is None else analytic_mbv3.cost_bound(request.param)


@pytest.mark.parametrize(("name", "n_objectives"), CASES)
def test_candidates_are_canonical_integers_and_never_come_twice(
    analytic_mbv3: Any, name: str, n_objectives: int, bound: float | None
) -> None:
    search = Search(analytic_mbv3, name, n_objectives, bound).run(400)
    for rows in search.asked:
        assert rows.dtype == np.int64
        assert (rows >= 0).all()
        assert (rows < search.space.cardinality).all()
        np.testing.assert_array_equal(rows, search.space.canonical(rows))
    assert search.never_asked_twice()


@pytest.mark.parametrize("population", [5, 7, 50])
@pytest.mark.parametrize(("name", "n_objectives"), CASES)
def test_every_ask_has_the_size_of_the_population(
    analytic_mbv3: Any, name: str, n_objectives: int, population: int
) -> None:
    search = Search(analytic_mbv3, name, n_objectives, population=population).run(6 * population)
    assert [len(rows) for rows in search.asked] == [population] * 6


@pytest.mark.parametrize(("name", "n_objectives"), CASES)
def test_the_seed_decides_everything(analytic_mbv3: Any, name: str, n_objectives: int, bound: float | None) -> None:
    first, same, other = (Search(analytic_mbv3, name, n_objectives, bound, seed).run(200) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.rows, same.rows)
    assert not {row.tobytes() for row in first.rows} & {row.tobytes() for row in other.rows}


@pytest.mark.parametrize(("name", "n_objectives"), CASES)
def test_global_random_states_play_no_part(analytic_mbv3: Any, name: str, n_objectives: int) -> None:
    state = np.random.get_state()
    try:
        np.random.seed(1)
        first = Search(analytic_mbv3, name, n_objectives).run(100)
        np.random.seed(2)
        second = Search(analytic_mbv3, name, n_objectives).run(100)
    finally:
        np.random.set_state(state)
    np.testing.assert_array_equal(first.rows, second.rows)


@pytest.mark.parametrize(("name", "n_objectives"), CASES)
def test_the_first_population_holds_the_start(analytic_mbv3: Any, name: str, n_objectives: int) -> None:
    space: SearchSpace = analytic_mbv3.space
    raw = space.random_genes(6, np.random.default_rng(5))
    start = np.concatenate([raw, raw[:2]])  # with inactive genes set, and two that are repeated
    search = Search(analytic_mbv3, name, n_objectives, start=start).run(100)
    np.testing.assert_array_equal(search.asked[0][:6], space.canonical(raw))
    assert len(search.asked[0]) == POPULATION
    assert search.never_asked_twice()


@pytest.mark.parametrize(("name", "n_objectives"), CASES)
def test_a_start_larger_than_the_population_is_no_obstacle(analytic_mbv3: Any, name: str, n_objectives: int) -> None:
    start = analytic_mbv3.space.sample_distinct(3 * POPULATION, np.random.default_rng(5))
    search = Search(analytic_mbv3, name, n_objectives, start=start).run(100)
    assert len(search.asked[0]) == POPULATION
    assert {row.tobytes() for row in search.asked[0]} <= {row.tobytes() for row in start}
    assert search.never_asked_twice()


RESPONSES: dict[str, Callable[[Search, Genotypes], Batch]] = {
    "a third fails": lambda search, rows: search.answer(rows, lambda row: row.sum() % 3 == 0),
    "all fail": lambda search, rows: search.answer(rows, lambda row: True),
    "a half is answered": lambda search, rows: search.answer(rows[::2]),
    "one is answered": lambda search, rows: search.answer(rows[:1]),
    "none is answered": lambda search, rows: search.answer(rows[:0]),
    "answered in reverse": lambda search, rows: search.answer(rows[::-1]),
}


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize(("name", "n_objectives"), CASES)
def test_failed_and_missing_answers_do_not_stop_the_search(
    analytic_mbv3: Any, name: str, n_objectives: int, response: str
) -> None:
    search = Search(analytic_mbv3, name, n_objectives)
    search.run(200, partial(RESPONSES[response], search))
    assert len(search.rows) >= 200
    assert search.never_asked_twice()


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("population", [5, 40])
@pytest.mark.parametrize(("name", "n_objectives"), CASES)
def test_a_small_space_is_searched_to_its_end(
    analytic: Any,
    gated_space: SearchSpace,
    everything: Any,
    name: str,
    n_objectives: int,
    population: int,
    response: str,
) -> None:
    search = Search(analytic(gated_space), name, n_objectives, population=population)
    search.run(10_000, partial(RESPONSES[response], search))
    assert search.never_asked_twice()
    assert {row.tobytes() for row in search.rows} == everything(gated_space)
    assert search.algorithm.ask().shape == (0, gated_space.n_genes)


@pytest.mark.parametrize(("name", "n_objectives"), CASES)
def test_a_space_smaller_than_the_population_comes_at_once(
    analytic: Any, tiny_space: SearchSpace, name: str, n_objectives: int
) -> None:
    search = Search(analytic(tiny_space), name, n_objectives).run(100)
    assert [len(rows) for rows in search.asked] == [3]
    assert search.never_asked_twice()


@pytest.mark.parametrize(("name", "n_objectives"), CASES)
def test_no_gene_is_frozen(analytic_mbv3: Any, name: str, n_objectives: int) -> None:
    search = Search(analytic_mbv3, name, n_objectives, population=50).run(2000)
    later = np.concatenate(search.asked[20:])
    used = search.space.one_hot(later).sum(axis=0)
    assert (used > 0).all(), "every option of every gene is still tried after twenty generations"


def volume(search: Search, reference: np.ndarray) -> float:
    return hypervolume(search.answer(search.rows).losses, reference)


@pytest.mark.parametrize("n_objectives", [2, 3])
@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "random"])
def test_an_algorithm_is_worth_more_than_random_search(analytic_mbv3: Any, name: str, n_objectives: int) -> None:
    random = [Search(analytic_mbv3, "random", n_objectives, seed=seed, population=50).run(1000) for seed in range(3)]
    guided = [Search(analytic_mbv3, name, n_objectives, seed=seed, population=50).run(1000) for seed in range(3)]
    reference = nadir(np.concatenate([search.answer(search.rows).losses for search in random]))
    best_of_random = max(volume(search, reference) for search in random)
    assert min(volume(search, reference) for search in guided) > 1.1 * best_of_random


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "random"])
def test_a_bound_is_learnt(analytic_mbv3: Any, name: str) -> None:
    bound = analytic_mbv3.cost_bound(0.02)
    search = Search(analytic_mbv3, name, 2, bound, population=50).run(1000)
    within = [(analytic_mbv3.cost(rows) <= bound).mean() for rows in search.asked]
    assert np.mean(within[:2]) < 0.1
    assert np.mean(within[-5:]) > 0.7


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if OBJECTIVES[name][0] > 1])
def test_too_few_objectives_are_refused_with_a_way_out(analytic_mbv3: Any, name: str) -> None:
    with pytest.raises(DynasError, match=rf"algo={name} needs at least 2 objectives, 1 given: .*algo=random"):
        Search(analytic_mbv3, name, 1)


@pytest.mark.parametrize("population", [0, -3])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_senseless_population_is_refused(analytic_mbv3: Any, name: str, population: int) -> None:
    with pytest.raises(DynasError, match=r"algo\.population"):
        Search(analytic_mbv3, name, population=population)


@pytest.mark.parametrize("setting", [{"crossover": 1.5}, {"crossover": -0.1}, {"mutation": 2.0}, {"mutation": -1.0}])
def test_probabilities_beyond_their_range_are_refused(analytic_mbv3: Any, setting: dict[str, float]) -> None:
    with pytest.raises(DynasError, match="between 0 and 1"):
        Search(analytic_mbv3, "nsga2", **setting)
