"""Our algorithms by name, with the numbers of objectives that they can handle."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynas.algos.base import OBJECTIVES
from dynas.algos.named import ALGORITHMS, algorithm
from dynas.core.algorithm import SearchAlgorithm
from dynas.core.space import Genotypes, SearchSpace
from dynas.testing.analytic import Analytic
from dynas.testing.dialogue import Dialogue

POPULATION = 20
EFFORT = {"motpe": 0.25}  # share of the evaluations: a suggestion of optuna's costs 10 ms, and more with every answer
GUIDED = [name for name in ALGORITHMS if name != "random"]


def fits(name: str, n_objectives: int) -> bool:
    least, most = OBJECTIVES[name]
    return least <= n_objectives and (most is None or n_objectives <= most)


def effort(name: str, evaluations: int) -> int:
    return int(EFFORT.get(name, 1.0) * evaluations)


def fewest(name: str) -> int:
    return OBJECTIVES[name][0]


CASES = [(name, m) for name in ALGORITHMS for m in (1, 2, 3) if fits(name, m)]


def named(
    name: str,
    space: SearchSpace,
    n_objectives: int,
    rng: np.random.Generator,
    start: Genotypes | None = None,
    **settings: Any,
) -> SearchAlgorithm:
    """Make an algorithm whose library is imported no earlier."""
    return algorithm(name, **({"population": POPULATION} | settings))(space, n_objectives, rng, start)


def begin(
    analytic: Analytic,
    name: str,
    n_objectives: int = 2,
    bound: float | None = None,
    seed: int = 0,
    **settings: Any,
) -> Dialogue:
    """Begin a search of the analytic problem."""
    make = algorithm(name, **({"population": POPULATION} | settings))
    return Dialogue(make, analytic, n_objectives, bound, seed)
