"""The contract of search modes: how an algorithm and real measurements are wired together."""

from __future__ import annotations

import numpy as np

from dynas.core.algorithm import AlgorithmFactory
from dynas.core.space import SearchSpace
from dynas.errors import DynasError


def check_algorithm(make_algorithm: AlgorithmFactory, space: SearchSpace, n_objectives: int) -> None:
    """Raise DynasError where an algorithm refuses its settings, the space or the number of objectives."""
    try:
        make_algorithm(space, n_objectives, np.random.default_rng(0))
    except TypeError as error:
        raise DynasError(f"cannot build algo from its config: {error}") from error
