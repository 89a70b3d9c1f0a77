"""Random search, the baseline that every other algorithm must beat."""

from __future__ import annotations

import numpy as np

from dynas.algos.base import check_objectives, first_population
from dynas.errors import DynasError
from dynas.evaluate import Batch
from dynas.space import Genotypes, SearchSpace


class RandomSearch:
    """Asks for sub-networks with every design variable drawn uniformly, never twice for the same.

    Args:
        space, n_objectives, rng, start: see `dynas.algos.base.AlgorithmFactory`.
        population: candidates per `ask`.
    """

    def __init__(
        self,
        space: SearchSpace,
        n_objectives: int,
        rng: np.random.Generator,
        start: Genotypes | None = None,
        *,
        population: int = 50,
    ) -> None:
        check_objectives("random", n_objectives)
        if population < 1:
            raise DynasError(f"algo=random needs algo.population >= 1, got {population}")
        self._space, self._rng, self._start, self._population = space, rng, start, population
        self._seen: set[bytes] = set()

    def ask(self) -> Genotypes:
        """Return the next ``(population, G)`` candidates."""
        rows = first_population(self._space, self._population, self._rng, self._start, self._seen)
        self._start = None
        return rows

    def tell(self, batch: Batch) -> None:
        """Learn nothing."""
