"""What every search algorithm promises (see `dynas.core.algorithm`)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, ClassVar

import numpy as np
import pytest

from dynas.core.algorithm import AlgorithmFactory, SearchAlgorithm
from dynas.core.design import DesignVariable
from dynas.core.problem import Batch
from dynas.core.space import Genotypes, SearchSpace
from dynas.testing.analytic import BOUNDS, Analytic
from dynas.testing.dialogue import Dialogue
from dynas.testing.spaces import everything, small, tiny, wide

RESPONSES: dict[str, Callable[[Dialogue, Genotypes], Batch]] = {
    "a third fails": lambda dialogue, rows: dialogue.answer(rows, lambda row: row.sum() % 3 == 0),
    "all fail": lambda dialogue, rows: dialogue.answer(rows, lambda row: True),
    "a half is answered": lambda dialogue, rows: dialogue.answer(rows[::2]),
    "one is answered": lambda dialogue, rows: dialogue.answer(rows[:1]),
    "none is answered": lambda dialogue, rows: dialogue.answer(rows[:0]),
    "answered in reverse": lambda dialogue, rows: dialogue.answer(rows[::-1]),
}


@cache
def _wide() -> Analytic:
    return Analytic(wide())


@pytest.mark.filterwarnings("ignore::dynas.errors.DynasWarning")
class AlgorithmSuite:
    """Checks a search algorithm; subclass it in a test module and say how the algorithm is made.

    A check of what yours does not promise is left out by setting it to None.

    Attributes:
        make: makes the algorithm; a function is wrapped in ``staticmethod``.
        n_objectives: numbers of objectives that it can search.
        populations: how many candidates each ``ask`` returns, given to ``make`` as ``population``; the first is used
            where the size plays no part. None: the algorithm decides.
        effort: share of the usual evaluations to ask for, below 1 where each takes long.
    """

    make: ClassVar[Callable[..., SearchAlgorithm]]
    n_objectives: ClassVar[Sequence[int]] = (1, 2)
    populations: ClassVar[Sequence[int | None]] = (None,)
    effort: ClassVar[float] = 1.0

    @staticmethod
    def combine(*values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the cases of a check that has several parameters: all combinations; override it for fewer."""
        return list(itertools.product(*values))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give each check its cases."""
        values: dict[str, Sequence[Any]] = {
            "n_objectives": self.n_objectives,
            "population": self.populations,
            "bound": list(BOUNDS),
            "response": list(RESPONSES),
        }
        used = {name: values[name] for name in metafunc.fixturenames if name in values}
        if used:
            metafunc.parametrize(list(used), self.combine(*used.values()))

    def dialogue(
        self,
        analytic: Analytic,
        n_objectives: int,
        population: int | None = None,
        bound: str = "unbounded",
        seed: int = 0,
        start: Genotypes | None = None,
    ) -> Dialogue:
        """Begin a search; without ``population`` it has the first of `populations`."""
        size = population or self.populations[0]
        make: AlgorithmFactory = self.make if size is None else partial(self.make, population=size)
        return Dialogue(make, analytic, n_objectives, analytic.bound(bound), seed, start)

    def evaluations(self, usual: int) -> int:
        """Return how many evaluations to ask for."""
        return int(self.effort * usual)

    def test_candidates_are_canonical_integers_and_never_come_twice(self, n_objectives: int, bound: str) -> None:
        """Whatever the objectives and the bound."""
        search = self.dialogue(_wide(), n_objectives, bound=bound).run(self.evaluations(400))
        for rows in search.asked:
            assert rows.dtype == np.int64
            assert (rows >= 0).all()
            assert (rows < search.space.cardinality).all()
            np.testing.assert_array_equal(rows, search.space.canonical(rows))
        assert search.never_asked_twice()

    def test_every_ask_has_the_size_of_the_population(self, n_objectives: int, population: int | None) -> None:
        """As long as there are candidates left."""
        size, generations = population or 1, max(2, self.evaluations(6))
        search = self.dialogue(_wide(), n_objectives, population).run(generations * size)
        if population is None:
            assert len(search.rows) >= generations
        else:
            assert [len(rows) for rows in search.asked] == [population] * generations

    def test_the_seed_decides_everything(self, n_objectives: int, bound: str) -> None:
        """Two searches with the same seed ask for the same candidates in the same order."""
        first, same = (
            self.dialogue(_wide(), n_objectives, bound=bound, seed=1).run(self.evaluations(200)) for _ in range(2)
        )
        np.testing.assert_array_equal(first.rows, same.rows)

    def test_global_random_states_play_no_part(self, n_objectives: int) -> None:
        """The generator that an algorithm is given is its only source of randomness."""
        state = np.random.get_state()
        try:
            np.random.seed(1)
            first = self.dialogue(_wide(), n_objectives).run(60)
            np.random.seed(2)
            second = self.dialogue(_wide(), n_objectives).run(60)
        finally:
            np.random.set_state(state)
        np.testing.assert_array_equal(first.rows, second.rows)

    def test_the_first_population_holds_the_start(self, n_objectives: int) -> None:
        """Even if genes that play no part are set in it, and some of it is repeated."""
        raw = _wide().space.random_genes(6, np.random.default_rng(5))
        search = self.dialogue(_wide(), n_objectives, start=np.concatenate([raw, raw[:2]])).run(100)
        first = search.asked[0]
        np.testing.assert_array_equal(first[:6], search.space.canonical(raw)[: len(first)])
        assert self.populations[0] in (None, len(first))
        assert search.never_asked_twice()

    def test_a_start_larger_than_the_population_is_no_obstacle(self, n_objectives: int) -> None:
        """The first population is a part of it."""
        start = _wide().space.sample_distinct(3 * (self.populations[0] or 20), np.random.default_rng(5))
        search = self.dialogue(_wide(), n_objectives, start=start).run(100)
        first = search.asked[0]
        assert self.populations[0] in (None, len(first))
        if self.populations[0] is not None:
            assert {row.tobytes() for row in first} <= {row.tobytes() for row in start}
        assert search.never_asked_twice()

    def test_failed_and_missing_answers_do_not_stop_the_search(self, n_objectives: int, response: str) -> None:
        """Nor does an order of the answers that is not that of asking."""
        search = self.dialogue(_wide(), n_objectives)
        search.run(self.evaluations(200), partial(RESPONSES[response], search))
        assert len(search.rows) >= self.evaluations(200)
        assert search.never_asked_twice()

    def test_a_small_space_is_searched_to_its_end(
        self, n_objectives: int, population: int | None, response: str
    ) -> None:
        """Every sub-network is asked for once, and then none."""
        space = small()
        search = self.dialogue(Analytic(space), n_objectives, population)
        search.run(10_000, partial(RESPONSES[response], search))
        assert search.never_asked_twice()
        assert {row.tobytes() for row in search.rows} == everything(space)
        assert search.algorithm.ask().shape == (0, space.n_genes)

    def test_a_space_smaller_than_the_population_comes_at_once(self, n_objectives: int) -> None:
        """If there is a population; in any case all of it comes."""
        search = self.dialogue(Analytic(tiny()), n_objectives).run(100)
        assert len(search.rows) == 3
        if (self.populations[0] or 0) >= 3:
            assert [len(rows) for rows in search.asked] == [3]
        assert search.never_asked_twice()

    def test_other_names_of_a_choice_are_never_asked_for(self, n_objectives: int) -> None:
        """Of genotypes that mean the same sub-network, only the canonical one comes."""
        space = SearchSpace([DesignVariable("d", (0, 1, 2), 3, aliases={0: {1: 0}, 1: {2: 1}, 2: {1: 0, 2: 0}})])
        search = self.dialogue(Analytic(space), n_objectives).run(100)
        assert len(search.rows) == space.size == 4
        assert search.never_asked_twice()
        np.testing.assert_array_equal(search.rows, space.canonical(search.rows))

    def test_a_gene_of_one_option_is_no_obstacle(self, n_objectives: int) -> None:
        """A variable may be fixed."""
        variables = [
            DesignVariable("width", (1, 2, 4), 3),
            DesignVariable("layers", (6,)),
            DesignVariable("heads", (4, 8), 3),
        ]
        search = self.dialogue(Analytic(SearchSpace(variables)), n_objectives).run(80)
        assert search.never_asked_twice()
        assert len(search.rows) >= 80
