"""A multi-layer perceptron, the baseline of prior work (Cummings et al. 2022, Appendix C)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

from dynas.core.objectives import Values
from dynas.errors import DynasError
from dynas.predictors.fitting import check_folds, make_folds, positive, standardised

HIDDEN = (64,)
DECAYS = (0.1, 1.0, 10.0)


class Mlp:
    """Perceptron with ReLU layers, trained by L-BFGS; its weight decay is chosen by cross-validation.

    Args:
        hidden: width of each hidden layer.
        alphas: weight decays to choose from.
        iterations: of L-BFGS at most; a network this small needs no more, and stopping is a mild regulariser.
        folds: of the cross-validation that chooses.
    """

    def __init__(
        self,
        hidden: Sequence[int] = HIDDEN,
        alphas: Sequence[float] = DECAYS,
        iterations: int = 100,
        folds: int = 3,
    ) -> None:
        self._hidden = tuple(int(width) for width in positive("hidden", hidden))
        self._alphas = positive("alphas", alphas)
        if iterations < 1:
            raise DynasError(f"predictor.iterations needs at least 1, got {iterations}")
        self._iterations = iterations
        self._folds = check_folds(folds)

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and values ``(n,)``."""
        scaled, self._mean, self._scale = standardised(target)
        folds = make_folds(len(target), self._folds)
        with threadpool_limits(limits=1, user_api="blas"), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of iterations is a setting
            errors = dict.fromkeys(self._alphas, 0.0)
            for alpha in self._alphas if len(self._alphas) > 1 else ():
                for train, test in folds:
                    model = self._train(features[train], scaled[train], alpha)
                    errors[alpha] += float(((forward(model, features[test]) - scaled[test]) ** 2).sum())
            self._model = self._train(features, scaled, min(errors, key=errors.__getitem__))

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        return forward(self._model, features) * self._scale + self._mean

    def _train(self, features: Values, scaled: Values, alpha: float) -> MLPRegressor:
        # scikit-learn divides its penalty by the number of examples, as it should
        model = MLPRegressor(
            hidden_layer_sizes=self._hidden, solver="lbfgs", alpha=alpha, max_iter=self._iterations, random_state=0
        )
        return model.fit(features, scaled)


def forward(model: MLPRegressor, features: Values) -> Values:
    """Return what a fitted network says of features ``(n, D)``, without scikit-learn's checks."""
    signal = features
    for weights, bias in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        signal = np.maximum(signal @ weights + bias, 0.0)
    return np.asarray((signal @ model.coefs_[-1] + model.intercepts_[-1])[:, 0])
