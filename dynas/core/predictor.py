"""The contract of predictors: one per objective that must be measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values


class Predictor(Protocol):
    """Regression from one-hot features to one objective."""

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and measured values ``(n,)``, ``n >= 2``."""
        ...

    def predict(self, features: Values) -> Values:
        """Return the predicted values ``(n,)`` of features ``(n, D)``."""
        ...


@runtime_checkable
class ProbabilisticPredictor(Predictor, Protocol):
    """A predictor that also says how far off it may be."""

    def std(self, features: Values) -> Values:
        """Return the standard deviations ``(n,)`` of the predictions for features ``(n, D)``."""
        ...


@runtime_checkable
class PosteriorPredictor(ProbabilisticPredictor, Protocol):
    """A predictor that knows the joint distribution of values: where one is off, so are its like."""

    def sample(self, features: Values, draws: int, rng: np.random.Generator) -> Values:
        """Return joint samples ``(draws, n)`` of the values of features ``(n, D)``."""
        ...

    def left_out(self) -> Values:
        """Return the prediction ``(n,)`` of each example of the last `fit` by the others."""
        ...


@runtime_checkable
class GenewisePredictor(Predictor, Protocol):
    """A predictor that tells features of one gene from those of another.

    Attributes:
        genes: of each feature ``(D,)``, the gene whose option it tells, or -1 where it tells of several; None where
            that is not known. Set before `fit`.
    """

    genes: NDArray[np.int64] | None


@runtime_checkable
class LocalPredictor(Predictor, Protocol):
    """A predictor whose cost grows so fast with its examples that it wants no more than those near the front.

    Attributes:
        most: examples that it wants at most. Who calls `fit` chooses them.
    """

    most: int


PredictorFactory = Callable[[], Predictor]
