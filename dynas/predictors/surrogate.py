"""Predictors put together to an evaluation: same signature as a measured one, thousands of times cheaper."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import kendalltau
from sklearn.model_selection import KFold

from dynas.evaluate import Batch, PredictorQuality, Problem, make_batch
from dynas.objectives import Values, losses
from dynas.predictors.base import Predictor, PredictorFactory
from dynas.space import Genotypes

LEAST_EXAMPLES = 5


class Surrogate:
    """Predicts measured objectives and computes exact ones.

    Args:
        problem: space, objectives and exact functions.
        predictors: a fitted predictor per objective that is not exact.
    """

    def __init__(self, problem: Problem, predictors: Mapping[str, Predictor]) -> None:
        self._problem, self._predictors = problem, predictors

    def __call__(self, genotypes: Genotypes) -> Batch:
        """Return the predicted batch of canonical genotypes ``(n, G)``."""
        features = self._problem.space.one_hot(genotypes)
        columns = [
            self._problem.exact[objective.name](genotypes)
            if objective.exact
            else self._predictors[objective.name].predict(features)
            for objective in self._problem.objectives
        ]
        return make_batch(self._problem, genotypes, np.stack(columns, axis=1).astype(float))


def enough(measured: Batch) -> bool:
    """Return whether there are enough successful measurements to train on."""
    return int(measured.measured.sum()) >= LEAST_EXAMPLES


def training_set(problem: Problem, measured: Batch) -> tuple[Values, Values]:
    """Return features ``(n, D)`` and objective values ``(n, M)`` of all successful measurements."""
    usable = measured.select(measured.measured)
    return problem.space.one_hot(usable.genotypes), losses(problem.objectives, usable.losses)


def fit_surrogate(problem: Problem, make_predictors: Mapping[str, PredictorFactory], measured: Batch) -> Surrogate:
    """Train one predictor per measured objective on everything measured so far (Algorithm 1, line 4)."""
    features, values = training_set(problem, measured)
    predictors: dict[str, Predictor] = {}
    for column, objective in enumerate(problem.objectives):
        if not objective.exact:
            predictors[objective.name] = make_predictors[objective.name]()
            predictors[objective.name].fit(features, values[:, column])
    return Surrogate(problem, predictors)


def cross_validate(
    problem: Problem, make_predictors: Mapping[str, PredictorFactory], measured: Batch
) -> list[PredictorQuality]:
    """Return each predictor's errors on examples that it did not see, by five folds."""
    features, values = training_set(problem, measured)
    qualities = []
    for column, objective in enumerate(problem.objectives):
        if objective.exact:
            continue
        target = values[:, column]
        predicted = np.empty_like(target)
        for train, test in KFold(5, shuffle=True, random_state=0).split(features):
            predictor = make_predictors[objective.name]()
            predictor.fit(features[train], target[train])
            predicted[test] = predictor.predict(features[test])
        qualities.append(quality(objective.name, target, predicted))
    return qualities


def quality(name: str, target: Values, predicted: Values) -> PredictorQuality:
    """Return MAPE in percent and Kendall's tau of predictions ``(n,)`` against measured values ``(n,)``.

    A measured 0 has no percentage error and is left out; tau is 0 where all values are equal.
    """
    nonzero = target != 0
    mape = float(100 * np.mean(np.abs(predicted[nonzero] / target[nonzero] - 1))) if nonzero.any() else 0.0
    tau = float(kendalltau(target, predicted).statistic)
    return PredictorQuality(name, len(target), mape, tau if np.isfinite(tau) else 0.0)
