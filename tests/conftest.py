"""What all tests share: the reference folder, small spaces that can be counted by hand, and an analytic problem."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is imported: spinning threads slow a shared machine

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from dynas import DesignVariable, Objective, SearchSpace, depth_gates
from dynas.core.evaluation import Measure, Measurement
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.supernets.mbv3 import search_space

REFERENCE = Path(__file__).parents[1] / ".." / "shared" / "reference"

settings.register_profile("dynas", deadline=None, max_examples=50, derandomize=True, database=None)
settings.load_profile("dynas")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a script; what tests start inherits it
    signal.signal(signal.SIGINT, signal.default_int_handler)

Fails = Callable[[NDArray[np.int64]], bool]


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference data, which lies beside the repository and is not part of it."""
    folder = REFERENCE.resolve()
    if not folder.is_dir():
        pytest.skip(f"the reference data is not on this machine: there is no folder {folder}")
    return folder


@pytest.fixture(scope="session")
def mbv3_space() -> SearchSpace:
    """The full space of 45 genes."""
    return search_space()


@pytest.fixture(scope="session")
def gated_space() -> SearchSpace:
    """Two units of one or two blocks with three kernel sizes: (3 + 9) ** 2 = 144 sub-networks, 324 genotypes."""
    return SearchSpace([DesignVariable("ks", (3, 5, 7), 4, depth_gates("d", [2, 2])), DesignVariable("d", (1, 2), 2)])


@pytest.fixture(scope="session")
def tiny_space() -> SearchSpace:
    """A depth of 1, or of 2 with one of two kernel sizes: 3 sub-networks, 4 genotypes."""
    return SearchSpace([DesignVariable("d", (1, 2)), DesignVariable("ks", (3, 5), 1, depth_gates("d", [2])[1:])])


@pytest.fixture(scope="session")
def everything() -> Callable[[SearchSpace], set[bytes]]:
    """Lists the identity of every sub-network of a small space, by going through all of its genotypes."""

    def list_all(space: SearchSpace) -> set[bytes]:
        rows = np.array(list(itertools.product(*(range(count) for count in space.cardinality))), dtype=np.int64)
        return {row.tobytes() for row in space.canonical(rows)}

    return list_all


class Analytic:
    """Objectives that are sums of one weight per active gene and option.

    Larger options are better and dearer, each at a rate of its own, so that the best trade-offs mix options.
    ``quality`` (higher is better) and ``noise`` must be measured, ``cost`` is exact.
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
        return self._sum(genotypes, self._quality)

    def cost(self, genotypes: Genotypes) -> NDArray[np.float64]:
        return self._sum(genotypes, self._cost)

    def noise(self, genotypes: Genotypes) -> NDArray[np.float64]:
        return self._sum(genotypes, self._noise)

    def cost_bound(self, share: float) -> float:
        """Return the cost that ``share`` of random sub-networks do not exceed."""
        return float(np.quantile(self.cost(self.space.sample(500, np.random.default_rng(1))), share))

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


@pytest.fixture(scope="session")
def analytic() -> Callable[[SearchSpace], Analytic]:
    """Makes the analytic problem of a space."""
    return partial(Analytic)


@pytest.fixture(scope="session")
def analytic_mbv3(mbv3_space: SearchSpace) -> Analytic:
    """The analytic problem of the full space."""
    return Analytic(mbv3_space)
