"""Integer mating for pymoo, vectorised over the whole population.

pymoo's defaults are made for real numbers: SBX and polynomial mutation, rounded, leave many genes of three
options unchanged for ever. Here whole genes are exchanged and redrawn instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.core.infill import InfillCriterion
from pymoo.core.population import Population

from dynas.space import Genotypes, SearchSpace

ATTEMPTS = 100  # rounds of mating after which a converged population gives up finding something new


def uniform_crossover(first: Genotypes, second: Genotypes, probability: float, rng: np.random.Generator) -> Genotypes:
    """Return two children ``(2n, G)`` for each of ``n`` pairs of parents ``(n, G)``.

    A pair is crossed with ``probability``; then each gene changes sides with probability 1/2 (Syswerda 1989).
    """
    crossed = rng.random((len(first), 1)) < probability
    swap = crossed & (rng.random(first.shape) < 0.5)
    return np.concatenate([np.where(swap, second, first), np.where(swap, first, second)])


def reset_mutation(space: SearchSpace, genotypes: Genotypes, probability: float, rng: np.random.Generator) -> Genotypes:
    """Redraw each gene of ``genotypes`` ``(n, G)`` with ``probability``, as one of its other options.

    A gene that is inactive carries no information and is redrawn freely: a block that a deeper child gains
    starts from a random option instead of always the first.
    """
    choices = space.cardinality
    step = 1 + rng.integers(0, np.maximum(choices - 1, 1), genotypes.shape)
    redrawn = rng.random(genotypes.shape) < probability
    mutated = np.where(redrawn, (genotypes + step) % choices, genotypes)
    return np.where(space.active(genotypes), mutated, space.random_genes(len(genotypes), rng))


def tournament(order: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the winners ``(n,)`` of random duels; ``order`` ``(size,)`` lists individuals from best to worst."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    duels = rng.integers(0, len(order), (n, 2))
    return np.where(place[duels[:, 0]] <= place[duels[:, 1]], duels[:, 0], duels[:, 1])


class IntegerMating(InfillCriterion):
    """Selection, crossover and mutation of NSGA-II (Deb et al. 2002), for canonical genotypes never seen before.

    Args:
        space: the search space.
        seen: identities of all genotypes asked so far; those that are returned are added.
        crossover: share of pairs that exchange genes.
        mutation: probability per gene of being redrawn.
    """

    def __init__(self, space: SearchSpace, seen: set[bytes], crossover: float, mutation: float) -> None:
        super().__init__()
        self._space, self._seen = space, seen
        self._crossover, self._mutation = crossover, mutation

    def do(
        self, problem: Any, pop: Population, n_offsprings: int, random_state: np.random.Generator, **kwargs: Any
    ) -> Population:
        """Return up to ``n_offsprings`` new individuals; duels go by feasibility, then rank, then crowding."""
        beyond, rank, crowding = pop.get("CV", "rank", "crowding")
        order = np.lexsort((-crowding.astype(float), rank.astype(float), beyond[:, 0]))
        genotypes = pop.get("X")
        children: list[NDArray[np.int64]] = []
        for _ in range(ATTEMPTS):
            # twice as many as needed: most children of a converged population were seen before
            for row in self._mate(genotypes, order, 2 * n_offsprings, random_state):
                if len(children) < n_offsprings and (token := row.tobytes()) not in self._seen:
                    self._seen.add(token)
                    children.append(row)
            if len(children) == n_offsprings:
                break
        return Population.new("X", np.array(children)) if children else Population.empty()

    def _mate(self, genotypes: Genotypes, order: NDArray[np.int64], n: int, rng: np.random.Generator) -> Genotypes:
        first, second = (genotypes[tournament(order, -(-n // 2), rng)] for _ in range(2))
        children = uniform_crossover(first, second, self._crossover, rng)
        return self._space.canonical(reset_mutation(self._space, children, self._mutation, rng))
