"""The contract of search modes: how an algorithm and real measurements are wired together."""

from __future__ import annotations

import warnings

import numpy as np

from dynas.core.algorithm import AlgorithmFactory
from dynas.core.evaluator import Evaluator
from dynas.core.space import SearchSpace
from dynas.errors import DynasError, DynasWarning


def check_algorithm(make_algorithm: AlgorithmFactory, space: SearchSpace, n_objectives: int) -> None:
    """Raise DynasError where an algorithm refuses its settings, the space or the number of objectives."""
    try:
        make_algorithm(space, n_objectives, np.random.default_rng(0))
    except TypeError as error:
        raise DynasError(f"cannot build algo from its config: {error}") from error


def warn_of_budget(evaluate: Evaluator, first: int, named: str, enough: int) -> None:
    """Warn where the budget ends within the first sample of a larger space, so that nothing is searched.

    Args:
        evaluate: knows budget and space.
        first: size of the first sample.
        named: the key that says so.
        enough: a budget that goes further.
    """
    if first >= evaluate.budget and evaluate.problem.space.size > evaluate.budget:
        warnings.warn(
            f"budget={evaluate.budget} is used up by the first sample ({named}={first}), before anything is learnt "
            f"from it: give budget={enough} or more, or a smaller {named}",
            DynasWarning,
            stacklevel=6,  # whoever called dynas.search
        )
