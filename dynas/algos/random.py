"""Random search, the baseline that every other algorithm must beat."""

from __future__ import annotations

import numpy as np

from dynas.algos.base import check_objectives, check_settings, first_population
from dynas.core.problem import Batch
from dynas.core.space import Draw, Genotypes, SearchSpace
from dynas.errors import one_of


class RandomSearch:
    """Asks for random sub-networks, never twice for the same.

    Args:
        space, n_objectives, rng, start: see `dynas.core.algorithm.AlgorithmFactory`.
        population: candidates per `ask`.
        draw: what is uniform. ``subnetworks``: every distinct sub-network is equally likely, which favours deep
            ones, of which there are more. ``genes``: every design variable by itself, which favours shallow
            ones; the stronger baseline where these hold the better trade-offs.
    """

    def __init__(
        self,
        space: SearchSpace,
        n_objectives: int,
        rng: np.random.Generator,
        start: Genotypes | None = None,
        *,
        population: int = 50,
        draw: str = "subnetworks",
    ) -> None:
        check_objectives("random", n_objectives)
        check_settings("random", 1, population)
        draws: dict[str, Draw] = {"subnetworks": space.sample_uniform, "genes": space.sample}
        if draw not in draws:
            raise one_of("algo.draw", draw, draws)
        self._space, self._rng, self._start, self._population = space, rng, start, population
        self._draw = draws[draw]
        self._seen: set[bytes] = set()

    def ask(self) -> Genotypes:
        """Return the next ``(population, G)`` candidates."""
        rows = first_population(self._space, self._population, self._rng, self._start, self._seen, self._draw)
        self._start = None
        return rows

    def tell(self, batch: Batch) -> None:
        """Learn nothing."""
