"""The contract of search modes: how an algorithm and real measurements are wired together."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dynas.algos.base import AlgorithmFactory
from dynas.evaluate import Evaluator, Observer
from dynas.predictors.base import PredictorFactory


class SearchMode(Protocol):
    """A search strategy that spends the evaluator's budget."""

    def run(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        make_predictor: PredictorFactory,
        rng: np.random.Generator,
        observer: Observer | None = None,
    ) -> None:
        """Search until the budget is spent or the space is exhausted; the results are in ``evaluate``.

        Args:
            evaluate: measures candidates and knows the problem.
            make_algorithm: makes a fresh search algorithm.
            make_predictor: makes an untrained predictor; modes without predictions ignore it.
            rng: the only source of randomness.
            observer: is told of trained predictors.
        """
        ...
