"""The contract of search modes: how an algorithm and real measurements are wired together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from dynas.algos.base import AlgorithmFactory
from dynas.errors import DynasError
from dynas.evaluate import Evaluator, Observer
from dynas.predictors.base import PredictorFactory
from dynas.problem import Problem
from dynas.space import Genotypes, SearchSpace

Predictors = Mapping[str, PredictorFactory]  # by name of the objective


class SearchMode(Protocol):
    """A search strategy that spends the evaluator's budget."""

    def check(self, problem: Problem, make_algorithm: AlgorithmFactory) -> None:
        """Raise DynasError where this mode cannot search ``problem`` with this algorithm, before anything is paid."""
        ...

    def run(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        make_predictors: Predictors,
        rng: np.random.Generator,
        observer: Observer | None = None,
        start: Genotypes | None = None,
    ) -> None:
        """Search until the evaluator takes no more or the space is exhausted; the results are in ``evaluate``.

        Args:
            evaluate: measures candidates and knows the problem.
            make_algorithm: makes a fresh search algorithm.
            make_predictors: make an untrained predictor for each objective that is not exact; modes without
                predictions ignore them.
            rng: the only source of randomness.
            observer: is told of trained predictors.
            start: canonical genotypes ``(n, G)``, best first, that are measured before any others (a warm start).
        """
        ...


def check_algorithm(make_algorithm: AlgorithmFactory, space: SearchSpace, n_objectives: int) -> None:
    """Raise DynasError where an algorithm refuses its settings, the space or the number of objectives."""
    try:
        make_algorithm(space, n_objectives, np.random.default_rng(0))
    except TypeError as error:
        raise DynasError(f"cannot build algo from its config: {error}") from error
