"""The contract of search modes: how an algorithm and real measurements are wired together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from dynas.core.algorithm import AlgorithmFactory
from dynas.core.evaluation import Observer
from dynas.core.evaluator import Evaluator
from dynas.core.predictor import PredictorFactory
from dynas.core.problem import Problem
from dynas.core.space import Genotypes

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
