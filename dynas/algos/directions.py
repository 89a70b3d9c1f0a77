"""Evolutionary algorithms that follow reference directions: U-NSGA-III and C-TAEA.

The directions minimise the Riesz s-energy (Blank et al. 2021, doi 10.1109/TEVC.2020.2992387), a method that
takes a number of points where the paper (Cummings et al. 2022, Table 5) names partitions. Twenty partitions are
read as the points of a Das-Dennis grid of that many: 21 with two objectives, but 231 with three and 1771 with
four, so that the population caps them. C-TAEA and MOEA/D keep one individual per direction by construction:
there the population is the number of directions (``population=21`` for the paper's twenty partitions).

Mutation probabilities are per gene (see `dynas.algos.evolutionary`).
"""

from __future__ import annotations

from functools import lru_cache, partial
from math import comb

import numpy as np
from numpy.typing import NDArray
from pymoo.core.algorithm import Algorithm
from pymoo.core.population import Population

from dynas.algos.base import check_objectives, check_settings
from dynas.algos.evolutionary import evolution
from dynas.algos.operators import IntegerMating
from dynas.algos.pymoo import PymooSearch
from dynas.core.pareto import non_dominated
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError


def reference_directions(n_objectives: int, points: int) -> NDArray[np.float64]:
    """Return ``(points, M)`` directions, spread evenly over those of sum 1; always the same ones."""
    return _optimised(n_objectives, points).copy()


@lru_cache(maxsize=32)  # LINAS makes a fresh algorithm in every iteration, and the optimisation takes a second
def _optimised(n_objectives: int, points: int) -> NDArray[np.float64]:
    from pymoo.util.ref_dirs import get_reference_directions

    return np.asarray(get_reference_directions("energy", n_objectives, points, seed=1), dtype=float)


def by_niche(pop: Population, places: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Select by feasibility; within the same niche by rank, then distance to its direction; else at random."""
    beyond, rank, niche, distance = (pop.get(key).astype(float) for key in ("CV", "rank", "niche", "dist_to_niche"))
    a, b = rng.integers(0, len(pop), (2, 2 * len(places)))
    same = (beyond[a, 0] == 0) & (beyond[b, 0] == 0) & (niche[a] == niche[b])
    gap = beyond[a, 0] - beyond[b, 0]
    gap = np.where(same, rank[a] - rank[b], gap)
    gap = np.where(same & (gap == 0), distance[a] - distance[b], gap)
    gap = np.where(gap == 0, rng.choice([-1.0, 1.0], len(gap)), gap)
    winners: NDArray[np.int64] = np.where(gap < 0, a, b)
    return winners.reshape(-1, 2)


def from_archives(pop: Population, places: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Select from the convergence and the diversity archive, the halves of ``pop`` (Li et al. 2019, section III-D).

    The first parent comes from the archive with more non-dominated members, the second from the convergence
    archive in proportion to its share of them. Duels go by feasibility, then dominance, then chance.
    """
    losses, beyond = pop.get("F", "CV")
    half, n = len(pop) // 2, len(places)
    best = non_dominated(losses)
    share, other = best[:half].sum() / len(pop), best[half:].sum() / len(pop)
    diverse = np.stack([np.full(n, share <= other), rng.random(n) >= share], axis=1).reshape(-1)
    a, b = rng.integers(0, half, (2, 2 * n)) + half * diverse
    feasible = beyond[:, 0] <= 0
    comparable = feasible[a] & feasible[b]
    won = np.where(comparable, _dominates(losses[a], losses[b]), feasible[a])
    lost = np.where(comparable, _dominates(losses[b], losses[a]), feasible[b])
    first = np.where(won == lost, rng.random(2 * n) < 0.5, won)
    winners: NDArray[np.int64] = np.where(first, a, b)
    return winners.reshape(-1, 2)


def _dominates(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((one <= other).all(axis=1) & (one < other).any(axis=1))


def unsga3(
    space: SearchSpace,
    n_objectives: int,
    rng: np.random.Generator,
    start: Genotypes | None = None,
    *,
    population: int = 50,
    partitions: int = 20,
    crossover: float = 0.9,
    mutation: float = 0.02,
) -> PymooSearch:
    """U-NSGA-III (Seada and Deb 2016, doi 10.1109/TEVC.2015.2459718): ranks, then even niches along directions.

    Args:
        space, n_objectives, rng, start: see `dynas.core.algorithm.AlgorithmFactory`.
        population: individuals per generation.
        partitions: fineness of the directions, which are at most as many as individuals.
        crossover: share of pairs that exchange genes.
        mutation: probability per gene of being redrawn.
    """
    from pymoo.algorithms.moo.unsga3 import UNSGA3

    check_objectives("unsga3", n_objectives)
    check_settings("unsga3", n_objectives, population, crossover=crossover, mutation=mutation)
    if partitions < 1:
        raise DynasError(f"algo=unsga3 needs algo.partitions >= 1, got {partitions}")
    points = min(population, comb(partitions + n_objectives - 1, n_objectives - 1))
    kind = partial(UNSGA3, reference_directions(n_objectives, points))
    make = evolution(kind, space, by_niche, population, crossover, mutation)
    return PymooSearch(space, n_objectives, rng, make, population, start)


def ctaea(
    space: SearchSpace,
    n_objectives: int,
    rng: np.random.Generator,
    start: Genotypes | None = None,
    *,
    population: int = 50,
    crossover: float = 1.0,
    mutation: float = 0.05,
) -> PymooSearch:
    """C-TAEA (Li et al. 2019, doi 10.1109/TEVC.2018.2855411): one archive converges within the bounds, one explores.

    Args:
        space, n_objectives, rng, start: see `dynas.core.algorithm.AlgorithmFactory`.
        population: individuals per generation and in each archive, and directions.
        crossover: share of pairs that exchange genes.
        mutation: probability per gene of being redrawn.
    """
    from pymoo.algorithms.moo.ctaea import CTAEA

    check_objectives("ctaea", n_objectives)
    check_settings("ctaea", n_objectives, population, crossover=crossover, mutation=mutation)
    directions = reference_directions(n_objectives, population)

    def make(first: Population, seen: set[bytes]) -> Algorithm:
        mating = IntegerMating(space, seen, from_archives, crossover, mutation)
        return CTAEA(directions, sampling=first, mating=mating, eliminate_duplicates=False)

    return PymooSearch(space, n_objectives, rng, make, population, start)
