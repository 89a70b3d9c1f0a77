"""The contract of predictors: one per objective that must be measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

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


PredictorFactory = Callable[[], Predictor]
