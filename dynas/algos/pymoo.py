"""pymoo's algorithms behind the ask/tell contract."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from pymoo.core.algorithm import Algorithm
from pymoo.core.population import Population
from pymoo.core.problem import Problem as PymooProblem
from pymoo.core.termination import NoTermination

from dynas.algos.base import FAILED, first_population
from dynas.core.objectives import Values
from dynas.core.problem import Batch
from dynas.core.space import Genotypes, SearchSpace


class PymooSearch:
    """Drives one pymoo algorithm.

    pymoo always hears of a whole generation: what is missing or failed is one far beyond its bounds. Its losses
    are measured in the spread of the first generation, so that distances and weighted sums treat objectives of
    different units alike.

    Args:
        space: the sub-networks.
        n_objectives: number of losses ``M``.
        rng: source of the algorithm's seed.
        make: builds the pymoo algorithm from its first population and the set of identities seen so far.
        population: size of every generation.
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
        self._scale: tuple[Values, Values] | None = None

    def ask(self) -> Genotypes:
        """Return the next generation ``(n, G)``; random newcomers where mating finds nothing new."""
        asked = self._algorithm.ask()
        if asked is None or len(asked) == 0:
            fresh = self._space.sample_distinct(self._population, self._rng, self._seen)
            self._seen.update(row.tobytes() for row in fresh)
            asked = Population.new("X", fresh)
        self._asked = asked
        return np.array(asked.get("X"), dtype=np.int64).reshape(len(asked), self._space.n_genes)

    def tell(self, batch: Batch) -> None:
        """Hand the answers to pymoo."""
        if len(self._asked) == 0:
            return
        answers = {row.tobytes(): index for index, row in enumerate(batch.genotypes)}
        found = np.array([answers.get(row.tobytes(), -1) for row in self._asked.get("X")])
        known = np.flatnonzero(found >= 0)
        known = known[batch.measured[found[known]]]
        losses = np.full((len(found), batch.losses.shape[1]), FAILED)
        beyond = np.full(len(found), FAILED)
        losses[known] = self._scaled(batch.losses[found[known]])
        beyond[known] = np.minimum(batch.violation[found[known]], FAILED)
        told = Population.merge(self._asked, self._absent(self._population - len(found)))
        told.set("F", np.concatenate([losses, np.full((len(told) - len(found), losses.shape[1]), FAILED)]))
        told.set("G", np.concatenate([beyond, np.full(len(told) - len(found), FAILED)])[:, None])
        self._algorithm.evaluator.n_eval += len(found)
        with warnings.catch_warnings():  # NSGA-III switches all warnings off for good
            self._algorithm.tell(infills=told)

    def _absent(self, n: int) -> Population:
        """Return ``n`` stand-ins for a generation that came out short."""
        return Population.new("X", np.repeat(self._asked[:1].get("X"), n, axis=0)) if n else Population.empty()

    def _scaled(self, losses: Values) -> Values:
        """Return ``losses`` ``(n, M)`` from the least of the first answers, in units of their spread."""
        if len(losses) == 0:
            return losses
        if self._scale is None:
            spread = np.ptp(losses, axis=0)
            self._scale = losses.min(axis=0), np.where(spread > 0, spread, 1.0)
        least, unit = self._scale
        return (losses - least) / unit
