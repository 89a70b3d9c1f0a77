"""Evolutionary algorithms without reference directions: NSGA-II, AGE-MOEA and a genetic algorithm.

A mutation probability here is per gene, as in pymoo at the time of the paper: 0.02 redraws about one of 45 genes.
(Since pymoo 0.6 the argument ``prob`` of its operators is per individual, of whose genes each is then changed
with probability ``1/G``.) Defaults are those of Cummings et al. 2022, Table 5 (doi 10.48550/arXiv.2205.10358).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pymoo.core.algorithm import Algorithm
from pymoo.core.population import Population

from dynas.algos.base import check_objectives, check_settings
from dynas.algos.operators import IntegerMating, Selection, by_crowding, by_loss
from dynas.algos.pymoo import PymooSearch
from dynas.core.space import Genotypes, SearchSpace


def evolution(
    kind: Callable[..., Algorithm],
    space: SearchSpace,
    select: Selection,
    population: int,
    crossover: float,
    mutation: float,
) -> Callable[[Population, set[bytes]], Algorithm]:
    """Return what builds a pymoo algorithm with integer mating (see `dynas.algos.pymoo.PymooSearch`)."""

    def make(first: Population, seen: set[bytes]) -> Algorithm:
        mating = IntegerMating(space, seen, select, crossover, mutation)
        return kind(pop_size=population, sampling=first, mating=mating, eliminate_duplicates=False)

    return make


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
    """NSGA-II (Deb et al. 2002, doi 10.1109/4235.996017): non-dominated ranks, then crowding distance.

    Args:
        space, n_objectives, rng, start: see `dynas.core.algorithm.AlgorithmFactory`.
        population: individuals per generation.
        crossover: share of pairs that exchange genes.
        mutation: probability per gene of being redrawn.
    """
    from pymoo.algorithms.moo.nsga2 import NSGA2

    check_objectives("nsga2", n_objectives)
    check_settings("nsga2", 2, population, crossover=crossover, mutation=mutation)
    make = evolution(NSGA2, space, by_crowding, population, crossover, mutation)
    return PymooSearch(space, n_objectives, rng, make, population, start)


def agemoea(
    space: SearchSpace,
    n_objectives: int,
    rng: np.random.Generator,
    start: Genotypes | None = None,
    *,
    population: int = 50,
    crossover: float = 0.9,
    mutation: float = 0.02,
) -> PymooSearch:
    """AGE-MOEA (Panichella 2019, doi 10.1145/3321707.3321839): distances in the estimated geometry of the front.

    Args:
        space, n_objectives, rng, start: see `dynas.core.algorithm.AlgorithmFactory`.
        population: individuals per generation.
        crossover: share of pairs that exchange genes.
        mutation: probability per gene of being redrawn.
    """
    from pymoo.algorithms.moo.age import AGEMOEA  # imports numba

    check_objectives("agemoea", n_objectives)
    check_settings("agemoea", 2, population, crossover=crossover, mutation=mutation)
    make = evolution(AGEMOEA, space, by_crowding, population, crossover, mutation)
    return PymooSearch(space, n_objectives, rng, make, population, start)


def ga(
    space: SearchSpace,
    n_objectives: int,
    rng: np.random.Generator,
    start: Genotypes | None = None,
    *,
    population: int = 50,
    crossover: float = 0.9,
    mutation: float = 0.02,
) -> PymooSearch:
    """Elitist genetic algorithm for exactly one objective (Goldberg 1989): feasible first, then the loss.

    Args:
        space, n_objectives, rng, start: see `dynas.core.algorithm.AlgorithmFactory`.
        population: individuals per generation.
        crossover: share of pairs that exchange genes.
        mutation: probability per gene of being redrawn.
    """
    from pymoo.algorithms.soo.nonconvex.ga import GA

    check_objectives("ga", n_objectives)
    check_settings("ga", 2, population, crossover=crossover, mutation=mutation)
    make = evolution(GA, space, by_loss, population, crossover, mutation)
    return PymooSearch(space, n_objectives, rng, make, population, start)
