"""A search algorithm: changes single options of sub-networks on the front.

`dynas.core.algorithm` says what an algorithm promises: whatever it asks for is canonical and was never asked for
before. An empty answer says that the space is exhausted.
"""

from __future__ import annotations

import numpy as np

from dynas.algos.base import first_population
from dynas.core.problem import Batch, concatenate
from dynas.core.space import Genotypes, SearchSpace


class Mine:
    """Mutates members of the front.

    Args:
        space: the sub-networks.
        n_objectives: number of losses.
        rng: the only source of randomness.
        start: canonical genotypes ``(n, G)`` that the first population holds.
        population: candidates per `ask`.
    """

    def __init__(
        self,
        space: SearchSpace,
        n_objectives: int,
        rng: np.random.Generator,
        start: Genotypes | None = None,
        *,
        population: int = 20,
    ) -> None:
        self.space, self.rng, self.start, self.population = space, rng, start, population
        self.seen: set[bytes] = set()
        self.front: Batch | None = None

    def ask(self) -> Genotypes:
        """Return up to ``population`` candidates ``(n, G)``: of the start, mutants of the front, random ones."""
        parents = self.start if self.front is None or not len(self.front) else self._mutants(self.front.genotypes)
        self.start = None
        return first_population(self.space, self.population, self.rng, parents, self.seen)

    def tell(self, batch: Batch) -> None:
        """Keep what no other sub-network beats; what failed or is beyond a bound is never on a front."""
        self.front = (batch if self.front is None else concatenate([self.front, batch])).front()

    def _mutants(self, front: Genotypes) -> Genotypes:
        """Return members of the front with one option changed each ``(population, G)``."""
        rows = front[self.rng.integers(len(front), size=self.population)].copy()
        genes = self.rng.integers(self.space.n_genes, size=self.population)
        rows[np.arange(self.population), genes] = self.rng.integers(self.space.cardinality[genes])
        return rows
