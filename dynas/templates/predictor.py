"""A predictor: ridge regression.

`dynas.core.predictor` says what a predictor promises. One is made for each objective that must be measured, and learns
from all measurements so far.
"""

from __future__ import annotations

import numpy as np

from dynas.core.objectives import Values


class Mine:
    """Learns one weight per feature.

    Args:
        penalty: what a weight costs, by its square, beside the squared errors of the examples.
    """

    def __init__(self, penalty: float = 1.0) -> None:
        self.penalty = penalty

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and measured values ``(n,)``."""
        self.centre, self.mean = features.mean(axis=0), target.mean()
        centred = features - self.centre
        # in n dimensions instead of D, as there are fewer examples than features at first
        kernel = centred @ centred.T + self.penalty * np.eye(len(features))
        self.weights = centred.T @ np.linalg.solve(kernel, target - self.mean)

    def predict(self, features: Values) -> Values:
        """Return the predicted values ``(n,)`` of features ``(n, D)``."""
        predicted: Values = self.mean + (features - self.centre) @ self.weights
        return predicted
