"""Ridge regression, the paper's cheapest predictor (Cummings et al. 2022, Appendix C)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

from dynas.core.objectives import Values
from dynas.predictors.fitting import Fold, positive, standardised

ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


class Ridge:
    """Linear model whose penalty is chosen by leave-one-out cross-validation.

    scikit-learn fits; predicting is one matrix product, since the inner search predicts in small batches.

    Args:
        alphas: penalties to choose from.
    """

    def __init__(self, alphas: Sequence[float] = ALPHAS) -> None:
        self._model = RidgeCV(alphas=np.array(positive("alphas", alphas)))
        self._weights = np.zeros(0)
        self._intercept = 0.0

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and values ``(n,)``; the target is scaled to unit deviation inside."""
        scaled, mean, scale = standardised(target)
        with threadpool_limits(limits=1, user_api="blas"):  # so small a system is slower on several threads
            self._model.fit(features, scaled)
        self._weights = self._model.coef_ * scale
        self._intercept = float(self._model.intercept_ * scale + mean)

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        return np.asarray(features @ self._weights + self._intercept)

    def out_of_fold(self, features: Values, target: Values, folds: Sequence[Fold]) -> Values:
        """Return the prediction ``(n,)`` of each fitted example by a model that did not see its fold.

        Leaving rows out of a linear fit multiplies their residuals by the inverse of 1 minus their block of the hat
        matrix, so that no further fit is needed.
        """
        hat = _hat_matrix(features, float(self._model.alpha_))
        residuals = target - self.predict(features)
        left_out = np.empty_like(residuals)
        for _, test in folds:
            left_out[test] = np.linalg.solve(np.eye(len(test)) - hat[np.ix_(test, test)], residuals[test])
        return np.asarray(target - left_out)


def _hat_matrix(features: Values, alpha: float) -> Values:
    """Return what a fit multiplies the target with to get its predictions, ``(n, n)``."""
    centred = features - features.mean(axis=0)
    inverse = np.linalg.inv(centred.T @ centred + alpha * np.eye(features.shape[1]))
    return np.asarray(centred @ inverse @ centred.T + 1 / len(features))
