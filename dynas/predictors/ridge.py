"""Ridge regression, the paper's cheapest predictor (Cummings et al. 2022, Appendix C)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

from dynas.objectives import Values
from dynas.predictors.fitting import positive, standardised

ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


class Ridge:
    """Linear model whose penalty is chosen by leave-one-out cross-validation.

    scikit-learn fits; predicting is one matrix product, since the inner search predicts in small batches.

    Args:
        alphas: penalties to choose from.

    Attributes:
        out_of_fold: after a fit, the prediction ``(n,)`` of each example by a model that did not see it.
    """

    def __init__(self, alphas: Sequence[float] = ALPHAS) -> None:
        self._model = RidgeCV(alphas=np.array(positive("alphas", alphas)))
        self._weights = np.zeros(0)
        self._intercept = 0.0
        self.out_of_fold = np.zeros(0)

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and values ``(n,)``; the target is scaled to unit deviation inside."""
        scaled, mean, scale = standardised(target)
        with threadpool_limits(limits=1, user_api="blas"):  # so small a system is slower on several threads
            self._model.fit(features, scaled)
            leverage = _leverage(features, float(self._model.alpha_))
        self._weights = self._model.coef_ * scale
        self._intercept = float(self._model.intercept_ * scale + mean)
        # leaving an example out multiplies its residual by 1 / (1 - leverage): no second fit is needed
        self.out_of_fold = target - (target - self.predict(features)) / (1 - leverage)

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        return np.asarray(features @ self._weights + self._intercept)


def _leverage(features: Values, alpha: float) -> Values:
    """Return how much each example ``(n,)`` pulls its own prediction: the diagonal of the hat matrix, below 1."""
    centred = features - features.mean(axis=0)
    inverse = np.linalg.inv(centred.T @ centred + alpha * np.eye(features.shape[1]))
    diagonal = ((centred @ inverse) * centred).sum(axis=1) + 1 / len(features)
    return np.asarray(np.minimum(diagonal, 1 - 1e-9))
