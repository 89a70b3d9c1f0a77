"""Integer mating for pymoo, vectorised over the whole population.

pymoo's defaults are made for real numbers: SBX and polynomial mutation, rounded, leave many genes of three
options unchanged for ever. Here whole genes are exchanged and redrawn instead, the same way in every algorithm;
algorithms differ in how they select parents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.core.infill import InfillCriterion
from pymoo.core.population import Population

from dynas.core.space import Genotypes, SearchSpace

ATTEMPTS = 100  # rounds of mating after which a converged population gives up finding something new

# (population, places (n,), rng) -> indices of two parents (n, 2) for a child of each place in the next generation
Selection = Callable[[Population, NDArray[np.int64], np.random.Generator], NDArray[np.int64]]


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


def by_crowding(pop: Population, places: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Select by feasibility, then rank, then crowding (Deb et al. 2002)."""
    beyond, rank, crowding = pop.get("CV", "rank", "crowding")
    order = np.lexsort((-crowding.astype(float), rank.astype(float), beyond[:, 0]))
    return np.stack([tournament(order, len(places), rng) for _ in range(2)], axis=1)


def by_loss(pop: Population, places: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Select by feasibility, then the only loss."""
    losses, beyond = pop.get("F", "CV")
    order = np.lexsort((losses[:, 0], beyond[:, 0]))
    return np.stack([tournament(order, len(places), rng) for _ in range(2)], axis=1)


class IntegerMating(InfillCriterion):
    """Crossover and mutation of selected parents, for canonical genotypes never seen before.

    Args:
        space: the search space.
        seen: identities of all genotypes asked so far; those that are returned are added.
        select: chooses the parents.
        crossover: share of pairs that exchange genes.
        mutation: probability per gene of being redrawn.
    """

    def __init__(
        self, space: SearchSpace, seen: set[bytes], select: Selection, crossover: float, mutation: float
    ) -> None:
        super().__init__()
        self._space, self._seen, self._select = space, seen, select
        self._crossover, self._mutation = crossover, mutation

    def do(
        self, problem: Any, pop: Population, n_offsprings: int, random_state: np.random.Generator, **kwargs: Any
    ) -> Population:
        """Return up to ``n_offsprings`` new individuals, at most one per ``place``."""
        genotypes = pop.get("X")
        children: dict[int, NDArray[np.int64]] = {}
        waiting = np.arange(n_offsprings)
        for _ in range(ATTEMPTS):
            # most children of a converged population were seen before: always mate in full numbers
            places = np.resize(waiting, n_offsprings)
            pairs = self._select(pop, places, random_state)
            rows = self._mate(genotypes[pairs[:, 0]], genotypes[pairs[:, 1]], random_state)
            for place, row in zip(np.tile(places, 2).tolist(), rows, strict=True):
                if place not in children and (token := row.tobytes()) not in self._seen:
                    self._seen.add(token)
                    children[place] = row
            waiting = np.array([place for place in range(n_offsprings) if place not in children])
            if len(waiting) == 0:
                break
        if not children:
            return Population.empty()
        return Population.new("X", np.array(list(children.values())), "place", list(children))

    def _mate(self, first: Genotypes, second: Genotypes, rng: np.random.Generator) -> Genotypes:
        children = uniform_crossover(first, second, self._crossover, rng)
        return self._space.canonical(reset_mutation(self._space, children, self._mutation, rng))
