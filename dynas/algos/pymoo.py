"""pymoo's algorithms behind the ask/tell contract."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.algorithm import Algorithm
from pymoo.core.population import Population
from pymoo.core.problem import Problem as PymooProblem
from pymoo.core.termination import NoTermination

from dynas.algos.base import check_objectives, first_population
from dynas.algos.operators import IntegerMating
from dynas.errors import DynasError
from dynas.evaluate import Batch
from dynas.space import Genotypes, SearchSpace

FAILED = 1e12  # violation of a candidate that could not be measured: worse than any real one


class PymooSearch:
    """Drives one pymoo algorithm.

    Args:
        space: the sub-networks.
        n_objectives: number of losses ``M``.
        rng: source of the algorithm's seed.
        make: builds the pymoo algorithm from its first population and the set of identities seen so far.
        population: size of the first population.
        start: genotypes ``(n, G)`` that the first population holds.
    """

    def __init__(
        self,
        space: SearchSpace,
        n_objectives: int,
        rng: np.random.Generator,
        make: Callable[[Population, set[bytes]], Algorithm],
        population: int,
        start: Genotypes | None,
    ) -> None:
        self._space, self._rng, self._population = space, rng, population
        self._seen: set[bytes] = set()
        first = first_population(space, population, rng, start, self._seen)
        self._algorithm = make(Population.new("X", first), self._seen)
        problem = PymooProblem(
            n_var=space.n_genes, n_obj=n_objectives, n_ieq_constr=1, xl=0, xu=space.cardinality - 1, vtype=int
        )
        self._algorithm.setup(problem, seed=int(rng.integers(2**31)), termination=NoTermination())
        self._asked = Population.empty()
        self._begun = False

    def ask(self) -> Genotypes:
        """Return the next generation ``(n, G)``; random newcomers where mating finds nothing new."""
        unheard = self._begun and not self._algorithm.is_initialized  # pymoo would ask for the same again
        self._begun = True
        asked = None if unheard else self._algorithm.ask()
        if asked is None or len(asked) == 0:
            fresh = self._space.sample_distinct(self._population, self._rng, self._seen)
            self._seen.update(row.tobytes() for row in fresh)
            asked = Population.new("X", fresh)
        self._asked = asked
        return np.array(asked.get("X"), dtype=np.int64).reshape(len(asked), self._space.n_genes)

    def tell(self, batch: Batch) -> None:
        """Hand the answers to pymoo; a failed candidate counts as one far beyond its bounds."""
        answers = {row.tobytes(): index for index, row in enumerate(batch.genotypes)}
        found = [answers.get(row.tobytes(), -1) for row in self._asked.get("X")]
        known = np.array([index for index in found if index >= 0], dtype=np.int64)
        told = self._asked[[index >= 0 for index in found]]
        if len(told) == 0:
            return
        told.set("F", np.nan_to_num(batch.losses[known], nan=0.0))
        told.set("G", np.minimum(batch.violation[known], FAILED)[:, None])
        self._algorithm.evaluator.n_eval += len(told)
        self._algorithm.tell(infills=told)


def nsga2(
    space: SearchSpace,
    n_objectives: int,
    rng: np.random.Generator,
    start: Genotypes | None = None,
    *,
    population: int = 50,
    crossover: float = 0.9,
    mutation: float = 0.02,
) -> PymooSearch:
    """NSGA-II (Deb et al. 2002, doi 10.1109/4235.996017) with the settings of Cummings et al. 2022, Table 5.

    Args:
        space, n_objectives, rng, start: see `dynas.algos.base.AlgorithmFactory`.
        population: individuals per generation.
        crossover: share of pairs that exchange genes.
        mutation: probability per gene of being redrawn; 0.02 is about one of 45 genes.
    """
    check_objectives("nsga2", n_objectives)
    if population < 2 or not 0 <= crossover <= 1 or not 0 <= mutation <= 1:
        raise DynasError(
            "algo=nsga2 needs algo.population >= 2 and algo.crossover and algo.mutation between 0 and 1, "
            f"got {population}, {crossover} and {mutation}"
        )

    def make(first: Population, seen: set[bytes]) -> Algorithm:
        mating = IntegerMating(space, seen, crossover, mutation)
        return NSGA2(pop_size=population, sampling=first, mating=mating, eliminate_duplicates=False)

    return PymooSearch(space, n_objectives, rng, make, population, start)
