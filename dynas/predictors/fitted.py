"""Training a predictor on the scale on which an objective's values are told apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Objective, Values
from dynas.core.predictor import (
    GenewisePredictor,
    PosteriorPredictor,
    Predictor,
    PredictorFactory,
    ProbabilisticPredictor,
)
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


class PosteriorLogarithmic(ProbabilisticLogarithmic):
    """The same of a predictor that knows the joint distribution of values."""

    _predictor: PosteriorPredictor

    def sample(self, features: Values, draws: int, rng: np.random.Generator) -> Values:
        """Return joint samples ``(draws, n)`` of the values of features ``(n, D)``."""
        return np.exp(self._predictor.sample(features, draws, rng))

    def left_out(self) -> Values:
        """Return the prediction ``(n,)`` of each example by the others."""
        return np.exp(self._predictor.left_out())


def logarithmic(predictor: Predictor) -> Predictor:
    """Return what predicts values by another predictor of their logarithms, and says as much as that one does."""
    if isinstance(predictor, PosteriorPredictor):
        return PosteriorLogarithmic(predictor)
    if isinstance(predictor, ProbabilisticPredictor):
        return ProbabilisticLogarithmic(predictor)
    return Logarithmic(predictor)


def fit_predictor(
    objective: Objective,
    make_predictor: PredictorFactory,
    features: Values,
    target: Values,
    genes: NDArray[np.int64] | None = None,
) -> Predictor:
    """Return a predictor that has learned from features ``(n, D)`` and measured values ``(n,)``, ``n >= 2``.

    ``genes`` is for those that tell the genes apart (see `GenewisePredictor`).

    Where the values of a cost span much, it learns logarithms: on a linear scale its errors of the largest ones would
    be larger than the smallest ones are.
    """
    predictor = make_predictor()
    if isinstance(predictor, GenewisePredictor):
        predictor.genes = genes
    if is_logarithmic(objective, target):
        predictor = logarithmic(predictor)
    predictor.fit(features, target)
    return predictor
