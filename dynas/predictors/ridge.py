"""Ridge regression, the paper's cheapest predictor (Cummings et al. 2022, Appendix C)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

from dynas.errors import DynasError
from dynas.objectives import Values


class Ridge:
    """Linear model whose penalty is chosen by leave-one-out cross-validation.

    scikit-learn fits; predicting is one matrix product, since the inner search predicts in small batches.

    Args:
        alphas: penalties to choose from.
    """

    def __init__(self, alphas: Sequence[float]) -> None:
        if not alphas or min(alphas) <= 0:
            raise DynasError(f"predictor.alphas needs positive numbers, got {list(alphas)}")
        self._model = RidgeCV(alphas=np.array(alphas, dtype=float))
        self._weights = np.zeros(0)
        self._intercept = 0.0

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and values ``(n,)``; the target is scaled to unit deviation inside."""
        scale = float(target.std()) or 1.0
        with threadpool_limits(limits=1, user_api="blas"):  # so small a system is slower on several threads
            self._model.fit(features, (target - target.mean()) / scale)
        self._weights = self._model.coef_ * scale
        self._intercept = float(self._model.intercept_ * scale + target.mean())

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        return np.asarray(features @ self._weights + self._intercept)
