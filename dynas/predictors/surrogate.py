"""Predictors put together to an evaluation: same signature as a measured one, thousands of times cheaper."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from dynas.core.evaluation import PredictorQuality
from dynas.core.known import Examples
from dynas.core.objectives import Objective, Values, losses
from dynas.core.pareto import first_fronts
from dynas.core.predictor import (
    LocalPredictor,
    PosteriorPredictor,
    Predictor,
    PredictorFactory,
    ProbabilisticPredictor,
)
from dynas.core.problem import Batch, Problem, make_batch
from dynas.core.ranks import kendall_tau
from dynas.core.space import Genotypes
from dynas.errors import DynasError, DynasWarning, reason
from dynas.predictors.features import Featurizer, feature_genes, one_hot
from dynas.predictors.fitted import fit_predictor
from dynas.predictors.fitting import make_folds

LEAST_EXAMPLES = 5


class Surrogate:
    """Predicts measured objectives and computes exact ones.

    Args:
        problem: space, objectives and exact functions.
        predictors: a fitted predictor per objective that is not exact.
        featurize: what the predictors see of a sub-network.
        optimism: standard deviations by which a prediction is better than the predictor's mean, where it tells them.
    """

    def __init__(
        self,
        problem: Problem,
        predictors: Mapping[str, Predictor],
        featurize: Featurizer = one_hot,
        optimism: float = 0.0,
    ) -> None:
        self.problem, self.predictors = problem, predictors
        self.featurize, self._optimism = featurize, optimism

    def __call__(self, genotypes: Genotypes) -> Batch:
        """Return the predicted batch of canonical genotypes ``(n, G)``."""
        features = self.featurize(self.problem.space, genotypes)
        columns = [
            self.problem.exact[objective.name](genotypes) if objective.exact else self._predict(objective, features)
            for objective in self.problem.objectives
        ]
        return make_batch(self.problem, genotypes, np.stack(columns, axis=1).astype(float))

    def sample(self, genotypes: Genotypes, draws: int, rng: np.random.Generator) -> tuple[Values, Values]:
        """Return joint samples of canonical genotypes ``(n, G)``: losses ``(draws, n, M)``, violations ``(draws, n)``.

        A predictor that cannot draw samples gives its prediction in all of them.
        """
        features = self.featurize(self.problem.space, genotypes)
        values = np.empty((draws, len(genotypes), len(self.problem.objectives)))
        for column, objective in enumerate(self.problem.objectives):
            predictor = None if objective.exact else self.predictors[objective.name]
            if predictor is None:
                values[:, :, column] = self.problem.exact[objective.name](genotypes)
            elif isinstance(predictor, PosteriorPredictor):
                values[:, :, column] = predictor.sample(features, draws, rng)
            else:
                values[:, :, column] = predictor.predict(features)
        batch = make_batch(self.problem, np.tile(genotypes, (draws, 1)), values.reshape(-1, values.shape[2]))
        return batch.losses.reshape(values.shape), batch.violation.reshape(values.shape[:2])

    def _predict(self, objective: Objective, features: Values) -> Values:
        predictor = self.predictors[objective.name]
        values = predictor.predict(features)
        if self._optimism and isinstance(predictor, ProbabilisticPredictor):
            values = values - objective.sign * self._optimism * predictor.std(features)
        return values


def enough(measured: Batch) -> bool:
    """Return whether there are enough successful measurements to train on."""
    return int(measured.measured.sum()) >= LEAST_EXAMPLES


def warn_unfitted(error: Exception, what: str) -> None:
    """Say that predictors could not be trained, whose place ``what`` takes; their settings are an error of the user's.

    Raises:
        DynasError: the settings are at fault, not the measurements.
    """
    if isinstance(error, DynasError):
        raise error
    warnings.warn(f"the predictors could not be trained ({reason(error)}): {what}", DynasWarning, stacklevel=2)


def training_sets(
    problem: Problem,
    make_predictors: Mapping[str, PredictorFactory],
    measured: Batch,
    featurize: Featurizer = one_hot,
    known: Examples | None = None,
) -> dict[str, tuple[Values, Values]]:
    """Return features ``(n, D)`` and values ``(n,)`` that the predictor of each measured objective learns from.

    These are all successful measurements, behind what is known of this objective alone of other sub-networks; for a
    `LocalPredictor`, those of the best fronts, and as much of what is known, evenly spaced, as it wants besides.
    """
    usable = measured.select(measured.measured)
    features, values = featurize(problem.space, usable.genotypes), losses(problem.objectives, usable.losses)
    sets = {}
    for column, objective in enumerate(problem.objectives):
        if objective.exact:
            continue
        predictor = make_predictors[objective.name]()
        most = predictor.most if isinstance(predictor, LocalPredictor) else None
        rows = np.arange(len(usable))
        if most is not None and len(rows) > most:
            rows = np.sort(first_fronts(usable.losses, usable.violation, most))
        sets[objective.name] = features[rows], values[rows, column]
        if known and objective.name in known:
            genotypes, others = unmeasured(*known[objective.name], usable)
            if most is not None and len(genotypes) > most - len(rows):
                some = np.linspace(0, len(genotypes) - 1, most - len(rows)).astype(int)
                genotypes, others = genotypes[some], others[some]
            joined = np.concatenate([featurize(problem.space, genotypes), features[rows]])
            sets[objective.name] = joined, np.concatenate([others, values[rows, column]])
    return sets


def unmeasured(genotypes: Genotypes, values: Values, measured: Batch) -> tuple[Genotypes, Values]:
    """Return those of genotypes ``(n, G)`` and their values ``(n,)`` that are not among what was measured."""
    seen = {row.tobytes() for row in measured.genotypes}
    left = np.array([row.tobytes() not in seen for row in genotypes], dtype=bool)
    return genotypes[left], values[left]


def fit_surrogate(
    problem: Problem,
    make_predictors: Mapping[str, PredictorFactory],
    measured: Batch,
    featurize: Featurizer = one_hot,
    optimism: float = 0.0,
    known: Examples | None = None,
) -> Surrogate:
    """Train one predictor per measured objective on everything measured so far (Algorithm 1, line 4), or known."""
    genes = feature_genes(problem.space, featurize)
    sets = training_sets(problem, make_predictors, measured, featurize, known)
    predictors = {
        objective.name: fit_predictor(objective, make_predictors[objective.name], *sets[objective.name], genes)
        for objective in problem.objectives
        if not objective.exact
    }
    return Surrogate(problem, predictors, featurize, optimism)


def cross_validate(
    surrogate: Surrogate,
    make_predictors: Mapping[str, PredictorFactory],
    measured: Batch,
    known: Examples | None = None,
) -> list[PredictorQuality]:
    """Return each predictor's errors on examples that it did not see: each by the others, or by five folds.

    Args:
        surrogate: fitted to ``measured`` and ``known``; those of its predictors that know what they would say of each
            example without it are asked.
        make_predictors: make the others anew for each fold.
        measured, known: what they have learned from.
    """
    problem = surrogate.problem
    sets = training_sets(problem, make_predictors, measured, surrogate.featurize, known)
    qualities = []
    for objective in problem.objectives:
        if objective.exact:
            continue
        (features, target), predictor = sets[objective.name], surrogate.predictors[objective.name]
        if isinstance(predictor, PosteriorPredictor):
            predicted = predictor.left_out()
        else:
            predicted = np.empty_like(target)
            make_predictor = make_predictors[objective.name]
            for train, test in make_folds(len(features), 5):
                fitted = fit_predictor(objective, make_predictor, features[train], target[train])
                predicted[test] = fitted.predict(features[test])
        qualities.append(quality(objective.name, target, predicted))
    return qualities


def quality(name: str, target: Values, predicted: Values) -> PredictorQuality:
    """Return MAPE in percent and Kendall's tau of predictions ``(n,)`` against measured values ``(n,)``.

    A measured 0 has no percentage error and is left out; tau is 0 where all values are equal.
    """
    nonzero = target != 0
    mape = float(100 * np.mean(np.abs(predicted[nonzero] / target[nonzero] - 1))) if nonzero.any() else 0.0
    tau = kendall_tau(target, predicted)
    return PredictorQuality(name, len(target), mape, tau if np.isfinite(tau) else 0.0)
