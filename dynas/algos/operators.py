"""Integer operators for pymoo, vectorised over the whole population.

pymoo's defaults are made for real numbers: SBX and polynomial mutation, rounded, leave many genes of three
options unchanged for ever. These operators exchange and redraw whole genes instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.repair import Repair
from pymoo.core.selection import Selection

from dynas.space import Genotypes, SearchSpace


class UniformCrossover(Crossover):
    """Each gene of a pair changes sides with probability 1/2 (Syswerda 1989).

    Args:
        probability: share of pairs that are crossed at all; the others are copied.
    """

    def __init__(self, probability: float) -> None:
        super().__init__(n_parents=2, n_offsprings=2)
        self._probability = probability

    def do(
        self,
        problem: Any,
        pop: Population,
        parents: NDArray[np.int64] | None = None,
        *,
        random_state: np.random.Generator,
        **kwargs: Any,
    ) -> Population:
        """Return two children for each pair: rows of ``pop`` (n, 2), or of indices ``parents`` (n, 2) into it."""
        pairs = pop if parents is None else pop[parents]
        genotypes = pairs.ravel().get("X").reshape(*pairs.shape, -1)
        first, second = genotypes[:, 0], genotypes[:, 1]
        crossed = random_state.random((len(pairs), 1)) < self._probability
        swap = crossed & (random_state.random(first.shape) < 0.5)
        children = np.concatenate([np.where(swap, second, first), np.where(swap, first, second)])
        return Population.new("X", children)


class ResetMutation(Mutation):
    """Redraws genes as one of their other options.

    A gene that is inactive in a child carries no information, so it is redrawn freely: a block that a deeper
    child gains starts from a random option instead of always the first.

    Args:
        space: the space whose genes are redrawn.
        probability: probability per gene.
    """

    def __init__(self, space: SearchSpace, probability: float) -> None:
        super().__init__()
        self._space, self._probability = space, probability

    def do(self, problem: Any, pop: Population, *, random_state: np.random.Generator, **kwargs: Any) -> Population:
        """Mutate the individuals of ``pop`` in place and return it."""
        genotypes = pop.get("X")
        choices = self._space.cardinality
        step = 1 + random_state.integers(0, np.maximum(choices - 1, 1), genotypes.shape)
        redrawn = random_state.random(genotypes.shape) < self._probability
        mutated = np.where(redrawn, (genotypes + step) % choices, genotypes)
        inactive = ~self._space.active(genotypes)
        free = self._space.random_genes(len(genotypes), random_state)
        pop.set("X", np.where(inactive, free, mutated))
        return pop


class Canonical(Repair):
    """Zeroes the inactive genes of every child."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        self._space = space

    def _do(self, problem: Any, genotypes: Genotypes, **kwargs: Any) -> Genotypes:
        return self._space.canonical(genotypes)


class NeverTwice(DuplicateElimination):
    """Drops children that were asked for before, in this or any earlier generation."""

    def __init__(self, seen: set[bytes]) -> None:
        super().__init__()
        self._seen = seen

    def do(self, pop: Population, *args: Any, **kwargs: Any) -> Population:
        """Return the new individuals of ``pop``."""
        fresh = []
        for index, row in enumerate(pop.get("X")):
            if (token := row.tobytes()) not in self._seen:
                self._seen.add(token)
                fresh.append(index)
        return pop[fresh]


class RankTournament(Selection):
    """Binary tournament of NSGA-II (Deb et al. 2002): feasibility, then rank, then crowding."""

    def _do(
        self,
        problem: Any,
        pop: Population,
        n_select: int,
        n_parents: int,
        random_state: np.random.Generator,
        **kwargs: Any,
    ) -> NDArray[np.int64]:
        beyond = pop.get("CV")[:, 0]
        keys = np.lexsort((-pop.get("crowding").astype(float), pop.get("rank").astype(float), beyond))
        place = np.empty(len(pop), dtype=np.int64)
        place[keys] = np.arange(len(pop))
        rounds = -(-2 * n_select * n_parents // len(pop))
        drawn = np.concatenate([random_state.permutation(len(pop)) for _ in range(rounds)])
        pairs = drawn[: 2 * n_select * n_parents].reshape(-1, 2)
        winners = np.where(place[pairs[:, 0]] <= place[pairs[:, 1]], pairs[:, 0], pairs[:, 1])
        return winners.reshape(n_select, n_parents)
