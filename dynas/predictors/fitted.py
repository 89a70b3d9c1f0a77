"""Training a predictor on the scale on which an objective's values are told apart."""

from __future__ import annotations

import numpy as np

from dynas.core.objectives import Objective, Values
from dynas.core.predictor import Predictor, PredictorFactory, ProbabilisticPredictor
from dynas.core.scale import is_logarithmic


class Logarithmic:
    """A predictor of positive values that learns and predicts their logarithms.

    Args:
        predictor: an untrained predictor.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and positive values ``(n,)``."""
        self._predictor.fit(features, np.log(target))

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        return np.exp(self._predictor.predict(features))


class ProbabilisticLogarithmic(Logarithmic):
    """The same of a predictor that also says how far off it may be."""

    _predictor: ProbabilisticPredictor

    def std(self, features: Values) -> Values:
        """Return the standard deviations ``(n,)`` of the values of features ``(n, D)``, to first order."""
        return self.predict(features) * self._predictor.std(features)


def fit_predictor(
    objective: Objective, make_predictor: PredictorFactory, features: Values, target: Values
) -> Predictor:
    """Return a predictor that has learned from features ``(n, D)`` and measured values ``(n,)``, ``n >= 2``.

    Where the values of a cost span much, it learns logarithms: on a linear scale its errors of the largest ones would
    be larger than the smallest ones are.
    """
    predictor = make_predictor()
    if is_logarithmic(objective, target):
        probabilistic = isinstance(predictor, ProbabilisticPredictor)
        predictor = ProbabilisticLogarithmic(predictor) if probabilistic else Logarithmic(predictor)
    predictor.fit(features, target)
    return predictor
