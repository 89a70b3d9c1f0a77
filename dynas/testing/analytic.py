"""Objectives that cost nothing to measure, to check searches with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from dynas.core.evaluation import Measure, Measurement
from dynas.core.objectives import Objective
from dynas.core.problem import Problem
from dynas.core.space import Genotypes, SearchSpace

Fails = Callable[[NDArray[np.int64]], bool]

# Bounds on the cost by the share of random sub-networks that keep them: none of 500 keeps the last.
BOUNDS: dict[str, float | None] = {"unbounded": None, "bounded": 0.3, "hardly possible": 0.0}


class Analytic:
    """Objectives that are sums of one weight per active gene and option.

    Larger options are better and dearer, each at a rate of its own, so that the best trade-offs mix options.
    ``quality`` (higher is better) and ``noise`` must be measured, ``cost`` is exact.

    Args:
        space: the sub-networks.
    """

    def __init__(self, space: SearchSpace) -> None:
        rng = np.random.default_rng(7)
        self.space = space
        self._quality, self._cost = (
            np.concatenate([np.sort(rng.random(count)) for count in space.cardinality]) for _ in range(2)
        )
        self._noise = rng.random(space.n_features)

    def _sum(self, genotypes: Genotypes, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up row by row: unlike a matrix product, to the same last bit whatever rows come together."""
        total: NDArray[np.float64] = (self.space.one_hot(genotypes) * weights).sum(axis=1)
        return total

    def quality(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """Return the quality ``(n,)`` of canonical genotypes ``(n, G)``."""
        return self._sum(genotypes, self._quality)

    def cost(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """Return the cost ``(n,)`` of canonical genotypes ``(n, G)``."""
        return self._sum(genotypes, self._cost)

    def noise(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """Return the noise ``(n,)`` of canonical genotypes ``(n, G)``."""
        return self._sum(genotypes, self._noise)

    def cost_bound(self, share: float) -> float:
        """Return the cost that ``share`` of random sub-networks do not exceed."""
        return float(np.quantile(self.cost(self.space.sample(500, np.random.default_rng(1))), share))

    def bound(self, name: str) -> float | None:
        """Return the bound on the cost that `BOUNDS` describes."""
        share = BOUNDS[name]
        return None if share is None else self.cost_bound(share)

    def problem(self, n_objectives: int = 2, bound: float | None = None) -> Problem:
        """Return the problem of cost; cost and quality; or cost, quality and noise."""
        objectives = (
            Objective("cost", "min", "coins", bound, exact=True),
            Objective("quality", "max", "points"),
            Objective("noise", "min", "dB"),
        )
        return Problem(self.space, objectives[:n_objectives], {"cost": self.cost})

    def values(self, genotypes: Genotypes, n_objectives: int) -> NDArray[np.float64]:
        """Return the objectives' values ``(n, M)``."""
        columns = [function(genotypes) for function in (self.cost, self.quality, self.noise)]
        return np.stack(columns[:n_objectives], axis=1)

    def measure(self, n_objectives: int = 2, fails: Fails = lambda genotype: False) -> Measure:
        """Return a `Measure` in which the candidates that ``fails`` names fail."""

        def one_by_one(genotypes: Genotypes) -> Iterator[Measurement]:
            for row, values in zip(genotypes, self.values(genotypes, n_objectives), strict=True):
                if fails(row):
                    yield Measurement((np.nan,) * n_objectives, error="out of memory")
                else:
                    yield Measurement(tuple(map(float, values)))

        return one_by_one
