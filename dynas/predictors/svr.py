"""Support vector regression with a linear or an RBF kernel (Cummings et al. 2022, Appendix C).

The kernel matrix is computed once and sliced per fold; scikit-learn fits, and predicting is plain numpy, since the
inner search predicts thousands of small batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn import config_context
from sklearn.svm import SVR
from threadpoolctl import threadpool_limits

from dynas.core.objectives import Values
from dynas.predictors.fitting import Fold, check_folds, make_folds, positive, squared_distances, standardised

GAMMAS = (0.1, 0.3, 1.0)
RBF_COSTS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
LINEAR_COSTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
EPSILONS = (0.02, 0.1, 0.3)
CACHE_MB = 500  # of libsvm, enough for the kernel of several thousand examples
CHECKED = {"assume_finite": True, "skip_parameter_validation": True}  # a fit of few examples is mostly checks


@dataclass(frozen=True, eq=False)
class Choice:
    """Hyper-parameters chosen by cross-validation.

    Attributes:
        kernel: index of the kernel matrix.
        cost: SVR's C.
        epsilon: half width of the tube without loss, in deviations of the target.
        predicted: prediction ``(n,)`` of each example by a fit without its fold.
    """

    kernel: int
    cost: float
    epsilon: float
    predicted: Values


@dataclass(frozen=True)
class Search:
    """The choice of SVR's hyper-parameters, one after the other: C with the middle kernel, the kernel, the tube.

    All combinations would take twice as long.

    Attributes:
        costs: values of C to choose from.
        epsilons: tubes to choose from, in deviations of the target.
        folds: of the cross-validation.
    """

    costs: tuple[float, ...]
    epsilons: tuple[float, ...]
    folds: int

    def run(self, kernels: Sequence[Callable[[], Values]], target: Values) -> Choice:
        """Return the best by squared error, for kernel matrices ``(n, n)`` and a standardised target ``(n,)``."""
        folds = make_folds(len(target), self.folds)
        middle, tube = len(kernels) // 2, self.epsilons[len(self.epsilons) // 2]
        kernel = kernels[middle]()
        best = _least_error(
            target, self._validate(middle, kernel, target, folds, [(cost, tube) for cost in self.costs])
        )
        for index in range(len(kernels)):
            if index != middle:
                other = kernels[index]()
                (choice,) = self._validate(index, other, target, folds, [(best.cost, tube)])
                if _least_error(target, [best, choice]) is choice:
                    best, kernel = choice, other
        pairs = [(best.cost, epsilon) for epsilon in self.epsilons if epsilon != tube]
        return _least_error(target, [best, *self._validate(best.kernel, kernel, target, folds, pairs)])

    def _validate(
        self, index: int, kernel: Values, target: Values, folds: Sequence[Fold], pairs: Sequence[tuple[float, float]]
    ) -> list[Choice]:
        predicted = np.empty((len(pairs), len(target)))
        for train, test in folds if pairs else ():
            inner, outer = kernel[np.ix_(train, train)], kernel[np.ix_(test, train)]
            for row, (cost, epsilon) in enumerate(pairs):
                model = fit_kernel(inner, target[train], cost, epsilon)
                predicted[row, test] = outer[:, model.support_] @ model.dual_coef_[0] + model.intercept_[0]
        return [Choice(index, *pair, row) for pair, row in zip(pairs, predicted, strict=True)]


def _least_error(target: Values, choices: Sequence[Choice]) -> Choice:
    return min(choices, key=lambda choice: float(np.mean((choice.predicted - target) ** 2)))


def _rbf(gamma: float, distances: Values) -> Values:
    return np.asarray(np.exp(-gamma * distances))


def fit_kernel(kernel: Values, target: Values, cost: float, epsilon: float) -> SVR:
    """Return scikit-learn's SVR, fitted to a kernel matrix ``(n, n)`` and a standardised target ``(n,)``."""
    with config_context(**CHECKED):
        return SVR(kernel="precomputed", C=cost, epsilon=epsilon, cache_size=CACHE_MB).fit(kernel, target)


class SvrRbf:
    """Support vector regression with the kernel ``exp(-gamma * squared distance)``.

    Args:
        gammas: widths to choose from, in units of 1 / the mean squared distance between examples.
        costs: values of C to choose from.
        epsilons: tubes without loss to choose from, in deviations of the target.
        folds: of the cross-validation that chooses.

    Attributes:
        out_of_fold: after a fit, the prediction ``(n,)`` of each example by a model that did not see it.
    """

    def __init__(
        self,
        gammas: Sequence[float] = GAMMAS,
        costs: Sequence[float] = RBF_COSTS,
        epsilons: Sequence[float] = EPSILONS,
        folds: int = 5,
    ) -> None:
        self._gammas = positive("gammas", gammas)
        self._search = Search(positive("costs", costs), positive("epsilons", epsilons), check_folds(folds))
        self.out_of_fold = np.zeros(0)

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and values ``(n,)``."""
        scaled, mean, scale = standardised(target)
        with threadpool_limits(limits=1, user_api="blas"):
            distances = squared_distances(features, features)
            gammas = np.array(self._gammas) / (distances.mean() or 1.0)
            choice = self._search.run([partial(_rbf, gamma, distances) for gamma in gammas], scaled)
            self._gamma = float(gammas[choice.kernel])
            model = fit_kernel(_rbf(self._gamma, distances), scaled, choice.cost, choice.epsilon)
        self._vectors = features[model.support_]
        self._weights = model.dual_coef_[0] * scale
        self._intercept = float(model.intercept_[0] * scale + mean)
        self.out_of_fold = choice.predicted * scale + mean

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        kernel = _rbf(self._gamma, squared_distances(features, self._vectors))
        return np.asarray(kernel @ self._weights + self._intercept)


class SvrLinear:
    """Support vector regression with a linear kernel: one weight per feature, robust against outliers.

    Args:
        costs: values of C to choose from.
        epsilons: tubes without loss to choose from, in deviations of the target.
        folds: of the cross-validation that chooses.
    """

    def __init__(
        self, costs: Sequence[float] = LINEAR_COSTS, epsilons: Sequence[float] = EPSILONS, folds: int = 5
    ) -> None:
        self._search = Search(positive("costs", costs), positive("epsilons", epsilons), check_folds(folds))

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and values ``(n,)``."""
        scaled, mean, scale = standardised(target)
        centre = features.mean(axis=0)
        centred = features - centre
        with threadpool_limits(limits=1, user_api="blas"):
            kernel = centred @ centred.T
            norm = float(np.trace(kernel)) / len(target) or 1.0  # so that C means the same for any D
            kernel /= norm
            choice = self._search.run([lambda: kernel], scaled)
            model = fit_kernel(kernel, scaled, choice.cost, choice.epsilon)
        self._weights = model.dual_coef_[0] @ centred[model.support_] * (scale / norm)
        self._intercept = float(model.intercept_[0] * scale + mean - centre @ self._weights)

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        return np.asarray(features @ self._weights + self._intercept)
