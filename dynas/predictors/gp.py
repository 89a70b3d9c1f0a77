"""Gaussian process regression: a linear and an RBF kernel, which also say how sure they are.

Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, chapters 2 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from dynas.core.objectives import Values
from dynas.errors import DynasError
from dynas.predictors.fitting import squared_distances, standardised

# Priors of log variances and of the log width, as mean and deviation: few examples do not tell them.
LINEAR, RADIAL, NOISE, WIDTH = (0.0, 1.5), (-1.5, 1.5), (-5.0, 2.0), (0.0, 0.7)
APART = (0.0, 0.7)  # of a gene's log length scale from the common one
BOUNDS = [(-7.0, 5.0), (-9.0, 5.0), (-12.0, 1.0), (-1.5, 2.5)]
APART_BOUNDS = (-3.0, 3.0)
JITTER = 1e-8
ENOUGH = 400  # examples, evenly spaced, that tell variances and widths; values are told by all
MANY, FEWER = 500, 250  # beyond so many, so few tell them: their search would take most of a round


class GaussianProcess:
    """Sums a linear trend and a smooth deviation from it, all variances and widths set by marginal likelihood.

    Args:
        iterations: of the search for the most likely variances at most.
        genes: of each feature ``(D,)``, the gene whose option it tells, or -1. With it, the smooth deviation depends on
            these features alone, with a length scale for each gene; without it, on all features alike.

    Attributes:
        theta: logarithms of the linear, the radial and the noise's variance and of the width ``(4,)``; then, for each
            gene, of its length scale in units of the width.
    """

    def __init__(self, iterations: int = 40, genes: NDArray[np.int64] | None = None) -> None:
        if iterations < 1:
            raise DynasError(f"predictor.iterations needs at least 1, got {iterations}")
        self._iterations, self._genes, self._known = iterations, genes, False
        count = 0 if genes is None else int(genes.max()) + 1
        self._priors = np.array([LINEAR, RADIAL, NOISE, WIDTH, *[APART] * count])
        self.theta = self._priors[:, 0]

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
        self._unit = _unit(centred)
        smooth = centred if self._genes is None else centred[:, self._genes >= 0]
        self._smooth_unit = _unit(smooth)
        with threadpool_limits(limits=1, user_api="blas"):
            product = centred @ centred.T / self._unit
            if not self._known:
                told = ENOUGH if len(scaled) <= MANY else FEWER
                rows = np.unique(np.linspace(0, len(scaled) - 1, told).astype(int))
                genes = None if self._genes is None else self._genes[self._genes >= 0]
                stretch = smooth[rows] / np.sqrt(2 * self._smooth_unit)
                posterior = _Posterior(product[np.ix_(rows, rows)], stretch, genes, scaled[rows], self._priors)
                self.theta = minimize(
                    posterior,
                    self._priors[:, 0],
                    jac=True,
                    method="L-BFGS-B",
                    bounds=BOUNDS + [APART_BOUNDS] * (len(self._priors) - len(BOUNDS)),
                    options={"maxiter": self._iterations},
                ).x
            self._stretched = self._stretch(centred)
            kernel = np.exp(self.theta[0]) * product + self._radial(self._stretched)
            kernel[np.diag_indices_from(kernel)] += np.exp(self.theta[2]) + JITTER
            self._factor = cho_factor(kernel, lower=True)
            self._alpha = cho_solve(self._factor, scaled)
            self._variance = 1 / np.diag(dpotri(self._factor[0], lower=1)[0])
        self._examples, self._scaled = centred, scaled
        self._weights = np.exp(self.theta[0]) * centred.T @ self._alpha / self._unit

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        centred = features - self._centre
        mean = centred @ self._weights + self._radial(self._stretch(centred)) @ self._alpha
        return np.asarray(mean * self._target_scale + self._target_mean)

    def std(self, features: Values) -> Values:
        """Return the standard deviation ``(n,)`` of what `predict` says, noise of a measurement not included."""
        centred = features - self._centre
        prior = np.exp(self.theta[1]) + np.exp(self.theta[0]) * (centred**2).sum(axis=1) / self._unit
        explained = self._explained(centred, self._stretch(centred))
        return np.asarray(np.sqrt(np.maximum(prior - (explained**2).sum(axis=0), 0.0)) * self._target_scale)

    def sample(self, features: Values, draws: int, rng: np.random.Generator) -> Values:
        """Return ``draws`` joint samples ``(draws, n)`` of the values of features ``(n, D)``, without noise."""
        centred = features - self._centre
        stretched = self._stretch(centred)
        explained = self._explained(centred, stretched)
        linear = np.exp(self.theta[0]) * centred @ centred.T / self._unit
        spread = linear + self._radial(stretched, stretched) - explained.T @ explained
        spread[np.diag_indices_from(spread)] += 1e-6 * (1 + np.exp(self.theta[1]))
        values, vectors = np.linalg.eigh(spread)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        noise = rng.normal(size=(draws, len(features)))
        return np.asarray(self.predict(features) + noise @ root.T * self._target_scale)

    def left_out(self) -> Values:
        """Return the prediction ``(n,)`` of each example by the others (Rasmussen and Williams, eq. 5.12)."""
        return np.asarray((self._scaled - self._residuals()[0]) * self._target_scale + self._target_mean)

    def log_density(self) -> float:
        """Return the sum of log densities of the scaled examples, each by the others (eq. 5.11), up to a constant."""
        residuals, variance = self._residuals()
        return float(-0.5 * (residuals**2 / variance + np.log(variance)).sum())

    def _residuals(self) -> tuple[Values, Values]:
        """Return what the others miss of each scaled example ``(n,)``, and the variance that they expect."""
        return np.asarray(self._alpha * self._variance), self._variance

    def _stretch(self, centred: Values) -> Values:
        """Return the features ``(n, R)`` of the RBF part, in units of their length scales."""
        if self._genes is None:
            return np.asarray(centred / np.sqrt(2 * self._smooth_unit) * np.exp(-self.theta[3]))
        told = self._genes >= 0
        scales = np.exp(-self.theta[3] - self.theta[4:][self._genes[told]])
        return np.asarray(centred[:, told] * (scales / np.sqrt(2 * self._smooth_unit)))

    def _radial(self, stretched: Values, others: Values | None = None) -> Values:
        """Return the RBF part ``(n, m)`` of the covariance with others, by default the examples."""
        distances = squared_distances(stretched, self._stretched if others is None else others)
        np.subtract(self.theta[1], distances, out=distances)
        return np.asarray(np.exp(distances, out=distances))

    def _explained(self, centred: Values, stretched: Values) -> Values:
        """Return the columns ``(examples, n)`` whose products the examples take from the prior covariance."""
        across = self._radial(stretched) + np.exp(self.theta[0]) * centred @ self._examples.T / self._unit
        return np.asarray(solve_triangular(self._factor[0], across.T, lower=True, check_finite=False))


def _unit(centred: Values) -> float:
    """Return the mean squared length of centred features ``(n, D)``, the unit of products and distances."""
    return float((centred**2).sum(axis=1).mean()) or 1.0


def _inverse(factor: Values) -> Values:
    """Return the inverse of a matrix of which the lower Cholesky factor is given, zero above; the factor is lost."""
    lower, _ = dpotri(factor, lower=1, overwrite_c=1)
    diagonal = lower.diagonal().copy()
    inverse = lower + lower.T
    np.fill_diagonal(inverse, diagonal)
    return np.asarray(inverse)


class _Posterior:
    """The negative log posterior of a process's ``theta`` and its gradient (Rasmussen and Williams, eq. 5.9)."""

    def __init__(
        self, product: Values, smooth: Values, genes: NDArray[np.int64] | None, target: Values, priors: Values
    ) -> None:
        self._product, self._smooth, self._genes, self._target, self._priors = product, smooth, genes, target, priors
        self._distances = squared_distances(smooth, smooth) if genes is None else np.empty(0)
        self._room = np.empty_like(product), np.empty_like(product), np.empty_like(product, order="F")  # for each call

    def __call__(self, theta: Values) -> tuple[float, Values]:
        """Return value and gradient at a ``theta``."""
        if self._genes is None:
            distances = np.exp(-2 * theta[3]) * self._distances
        else:
            stretched = self._smooth * np.exp(-theta[3] - theta[4:][self._genes])
            distances = squared_distances(stretched, stretched)
        linear, radial, kernel = self._room
        np.multiply(np.exp(theta[0]), self._product, out=linear)
        np.exp(np.subtract(theta[1], distances, out=radial), out=radial)
        noise = np.exp(theta[2])
        np.add(linear, radial, out=kernel)
        kernel[np.diag_indices_from(kernel)] += noise + JITTER
        factor = cholesky(kernel, lower=True, overwrite_a=True, check_finite=False)
        alpha = cho_solve((factor, True), self._target, check_finite=False)
        value = 0.5 * self._target @ alpha + np.log(np.diag(factor)).sum()
        slope = _inverse(factor)
        slope -= np.outer(alpha, alpha)
        shared = np.multiply(slope, radial, out=radial)
        gradient = np.array(
            [
                np.multiply(slope, linear, out=linear).sum(),
                shared.sum(),
                noise * np.trace(slope),
                2 * np.multiply(shared, distances, out=distances).sum(),
            ]
        )
        if self._genes is not None:
            columns = 2 * (shared.sum(axis=1) @ stretched**2 - (stretched * (shared @ stretched)).sum(axis=0))
            apart = np.zeros(len(theta) - len(gradient))
            np.add.at(apart, self._genes, 2 * columns)
            gradient = np.concatenate([gradient, apart])
        away = (theta - self._priors[:, 0]) / self._priors[:, 1]
        return float(value + 0.5 * away @ away), 0.5 * gradient + away / self._priors[:, 1]
