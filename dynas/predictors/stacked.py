"""Stacked regression: ridge and RBF support vectors feed a final ridge (Cummings et al. 2022, Appendix C)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynas.core.objectives import Values
from dynas.predictors.fitting import make_folds, standardised
from dynas.predictors.ridge import ALPHAS, Ridge
from dynas.predictors.svr import EPSILONS, GAMMAS, RBF_COSTS, SvrRbf

LEAST = 20  # with fewer examples, out-of-fold predictions are mostly chance: the mean of the two is used


class Stacked:
    """Weighs a linear and a nonlinear predictor by how well each predicts examples that it did not see.

    The final ridge learns from the out-of-fold predictions that the cross-validation of the two leaves behind, so
    that stacking costs no further fits of them, both on the same folds, so that neither looks better for having
    seen more examples. It learns the correction of their mean, so that its penalty pulls
    towards equal weights, which are the safe choice for few examples, and not towards no weight at all.

    Args:
        alphas: see `dynas.predictors.ridge.Ridge`; the final ridge has the same choice.
        gammas, costs, epsilons, folds: see `dynas.predictors.svr.SvrRbf`.
    """

    def __init__(
        self,
        alphas: Sequence[float] = ALPHAS,
        gammas: Sequence[float] = GAMMAS,
        costs: Sequence[float] = RBF_COSTS,
        epsilons: Sequence[float] = EPSILONS,
        folds: int = 5,
    ) -> None:
        self._linear, self._nonlinear = Ridge(alphas), SvrRbf(gammas, costs, epsilons, folds)
        self._folds = folds
        self._final = Ridge(alphas)
        self._mean, self._scale = 0.0, 1.0

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and values ``(n,)``."""
        self._linear.fit(features, target)
        self._nonlinear.fit(features, target)
        folds = make_folds(len(target), self._folds)
        scaled, self._mean, self._scale = standardised(target)
        unseen = self._scaled(self._linear.out_of_fold(features, target, folds), self._nonlinear.out_of_fold)
        missing = scaled - unseen.mean(axis=1)
        self._final.fit(unseen, missing if len(target) >= LEAST else np.zeros_like(missing))

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        predicted = self._scaled(self._linear.predict(features), self._nonlinear.predict(features))
        return np.asarray((predicted.mean(axis=1) + self._final.predict(predicted)) * self._scale + self._mean)

    def _scaled(self, *predictions: Values) -> Values:
        """Return two predictions as features ``(n, 2)`` in deviations of the target, so that penalties fit any unit."""
        return (np.stack(predictions, axis=1) - self._mean) / (self._scale or 1.0)
