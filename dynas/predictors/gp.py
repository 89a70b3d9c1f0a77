"""Gaussian process regression: a linear and an RBF kernel, which also say how sure they are.

Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, chapters 2 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from dynas.core.objectives import Values
from dynas.errors import DynasError
from dynas.predictors.fitting import standardised
from dynas.predictors.svr import squared_distances

# Priors of log variances and of the log width, as mean and deviation: few examples do not tell them.
LINEAR, RADIAL, NOISE, WIDTH = (0.0, 1.5), (-1.5, 1.5), (-5.0, 2.0), (0.0, 0.7)
PRIORS = np.array([LINEAR, RADIAL, NOISE, WIDTH])
BOUNDS = [(-7.0, 5.0), (-9.0, 5.0), (-12.0, 1.0), (-1.5, 2.5)]
JITTER = 1e-8


class GaussianProcess:
    """Sums a linear trend and a smooth deviation from it, all variances and the width set by marginal likelihood.

    Args:
        iterations: of the search for the most likely variances at most.

    Attributes:
        theta: logarithms of the linear, the radial and the noise's variance and of the width ``(4,)``.
    """

    def __init__(self, iterations: int = 40) -> None:
        if iterations < 1:
            raise DynasError(f"predictor.iterations needs at least 1, got {iterations}")
        self._iterations, self._known = iterations, False
        self.theta = PRIORS[:, 0]

    @classmethod
    def known(cls, theta: Sequence[float] | Values) -> GaussianProcess:
        """Return a process whose ``theta`` is known, so that it only has to take in the examples."""
        process = cls()
        process.theta, process._known = np.array(theta, dtype=float), True
        return process

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and values ``(n,)``."""
        scaled, self._target_mean, self._target_scale = standardised(target)
        self._centre = features.mean(axis=0)
        centred = features - self._centre
        self._unit = float((centred**2).sum(axis=1).mean()) or 1.0  # of squared lengths and distances
        with threadpool_limits(limits=1, user_api="blas"):
            product = centred @ centred.T / self._unit
            distances = squared_distances(centred, centred) / (2 * self._unit)
            if not self._known:
                self.theta = minimize(
                    _negative_posterior,
                    PRIORS[:, 0],
                    (product, distances, scaled),
                    jac=True,
                    method="L-BFGS-B",
                    bounds=BOUNDS,
                    options={"maxiter": self._iterations},
                ).x
            kernel = _kernel(self.theta, product, distances)
            kernel[np.diag_indices_from(kernel)] += np.exp(self.theta[2]) + JITTER
            self._factor = cho_factor(kernel, lower=True)
            self._alpha = cho_solve(self._factor, scaled)
        self._examples = centred
        self._weights = np.exp(self.theta[0]) * centred.T @ self._alpha / self._unit

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        centred = features - self._centre
        mean = centred @ self._weights + self._radial(centred) @ self._alpha
        return np.asarray(mean * self._target_scale + self._target_mean)

    def std(self, features: Values) -> Values:
        """Return the standard deviation ``(n,)`` of what `predict` says, noise of a measurement not included."""
        centred = features - self._centre
        across = self._radial(centred) + np.exp(self.theta[0]) * centred @ self._examples.T / self._unit
        prior = np.exp(self.theta[1]) + np.exp(self.theta[0]) * (centred**2).sum(axis=1) / self._unit
        explained = solve_triangular(self._factor[0], across.T, lower=True, check_finite=False)
        return np.asarray(np.sqrt(np.maximum(prior - (explained**2).sum(axis=0), 0.0)) * self._target_scale)

    def _radial(self, centred: Values) -> Values:
        """Return the RBF part ``(n, examples)`` of the covariance with the examples."""
        distances = squared_distances(centred, self._examples) / (2 * self._unit)
        return np.asarray(np.exp(self.theta[1] - np.exp(-2 * self.theta[3]) * distances))


def _kernel(theta: Values, product: Values, distances: Values) -> Values:
    return np.asarray(np.exp(theta[0]) * product + np.exp(theta[1] - np.exp(-2 * theta[3]) * distances))


def _negative_posterior(theta: Values, product: Values, distances: Values, target: Values) -> tuple[float, Values]:
    """Return the negative log posterior of ``theta`` ``(4,)`` and its gradient (Rasmussen and Williams, eq. 5.9)."""
    shrink = np.exp(-2 * theta[3])
    linear = np.exp(theta[0]) * product
    radial = np.exp(theta[1] - shrink * distances)
    noise = np.exp(theta[2])
    kernel = linear + radial
    kernel[np.diag_indices_from(kernel)] += noise + JITTER
    factor = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
    alpha = cho_solve(factor, target, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(target)), check_finite=False)
    slope = inverse - np.outer(alpha, alpha)
    gradient = 0.5 * np.array(
        [
            (slope * linear).sum(),
            (slope * radial).sum(),
            noise * np.trace(slope),
            2 * shrink * (slope * radial * distances).sum(),
        ]
    )
    apart = (theta - PRIORS[:, 0]) / PRIORS[:, 1]
    value = 0.5 * target @ alpha + np.log(np.diag(factor[0])).sum() + 0.5 * apart @ apart
    return float(value), gradient + apart / PRIORS[:, 1]
