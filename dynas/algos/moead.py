"""MOEA/D: one scalar problem per reference direction, neighbours help each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.algorithms.moo.moead import ParallelMOEAD, default_decomp
from pymoo.core.algorithm import Algorithm
from pymoo.core.population import Population
from scipy.spatial.distance import cdist

from dynas.algos.base import check_objectives, check_settings
from dynas.algos.directions import reference_directions
from dynas.algos.operators import IntegerMating
from dynas.algos.pymoo import PymooSearch
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError

LEAST_WEIGHT = 1e-4  # an objective of weight 0 would be ignored altogether


class BoundedMoead(ParallelMOEAD):
    """pymoo's generation-wise MOEA/D, also within bounds and with newcomers that belong to no direction.

    A feasible candidate beats an infeasible one, a smaller violation a larger one, and among feasible ones the
    decomposed value decides (Jain and Deb 2014, doi 10.1109/TEVC.2013.2281534, section V).
    """

    def _setup(self, problem: Any, **kwargs: Any) -> None:
        self.neighbors = nearest(self.ref_dirs, self.n_neighbors)
        self.decomposition = default_decomp(problem)

    def _infill(self) -> Population:
        return self.mating.do(self.problem, self.pop, self.pop_size, random_state=self.random_state)

    def _advance(self, infills: Population, **kwargs: Any) -> None:
        losses, beyond = self.pop.get("F", "CV")
        new_losses, new_beyond = infills.get("F", "CV")
        self.ideal: NDArray[np.float64] = np.minimum(self.ideal, new_losses.min(axis=0))
        values, beyond, new_beyond = self._decomposed(losses, self.ref_dirs), beyond[:, 0], new_beyond[:, 0]
        strangers = self.random_state.integers(0, len(self.pop), len(infills))
        places = [own if own is not None else other for own, other in zip(infills.get("place"), strangers, strict=True)]
        near = self.neighbors[np.array(places, dtype=np.int64)]
        weights = self.ref_dirs[near].reshape(-1, losses.shape[1])
        new_values = self._decomposed(np.repeat(new_losses, near.shape[1], axis=0), weights).reshape(near.shape)
        for child in self.random_state.permutation(len(infills)):
            around = near[child]
            closer = new_beyond[child] < beyond[around]
            better = (new_beyond[child] == beyond[around]) & (new_values[child] < values[around])
            won = closer | better
            self.pop[around[won]] = infills[child]
            values[around[won]], beyond[around[won]] = new_values[child][won], new_beyond[child]

    def _decomposed(self, losses: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        value = self.decomposition.do(
            losses, weights=np.maximum(weights, LEAST_WEIGHT), ideal_point=self.ideal, _type="one_to_one"
        )
        return np.asarray(value).reshape(len(losses))


def nearest(directions: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Return the indices ``(points, n)`` of each direction's nearest ones, itself first."""
    return np.argsort(cdist(directions, directions), axis=1, kind="stable")[:, :n]


def moead(
    space: SearchSpace,
    n_objectives: int,
    rng: np.random.Generator,
    start: Genotypes | None = None,
    *,
    population: int = 50,
    neighbours: int = 20,
    neighbour_mating: float = 0.9,
    crossover: float = 1.0,
    mutation: float = 0.02,
) -> PymooSearch:
    """MOEA/D (Zhang and Li 2007, doi 10.1109/TEVC.2007.892759) on Riesz s-energy directions.

    The decomposition is Tchebycheff's with two objectives, PBI beyond.

    Args:
        space, n_objectives, rng, start: see `dynas.core.algorithm.AlgorithmFactory`.
        population: individuals per generation, one per direction (see `dynas.algos.directions`).
        neighbours: directions in a neighbourhood, its own included; at most all.
        neighbour_mating: probability that parents come from the neighbourhood, else from anywhere.
        crossover: share of pairs that exchange genes.
        mutation: probability per gene of being redrawn.
    """
    check_objectives("moead", n_objectives)
    shares = {"neighbour_mating": neighbour_mating, "crossover": crossover, "mutation": mutation}
    check_settings("moead", n_objectives, population, **shares)
    if neighbours < 2:
        raise DynasError(f"algo=moead needs algo.neighbours >= 2, got {neighbours}")
    directions = reference_directions(n_objectives, population)
    near = nearest(directions, min(neighbours, population))

    def select(pop: Population, places: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        local = rng.random((len(places), 1)) < neighbour_mating
        inside = near[places[:, None], _two_of(near.shape[1], len(places), rng)]
        return np.where(local, inside, _two_of(population, len(places), rng))

    def make(first: Population, seen: set[bytes]) -> Algorithm:
        mating = IntegerMating(space, seen, select, crossover, mutation)
        return BoundedMoead(directions, n_neighbors=near.shape[1], sampling=first, mating=mating)

    return PymooSearch(space, n_objectives, rng, make, population, start)


def _two_of(size: int, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return ``(n, 2)`` indices below ``size``, the two of a row different."""
    first = rng.integers(0, size, n)
    return np.stack([first, (first + rng.integers(1, size, n)) % size], axis=1)
