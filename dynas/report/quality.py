"""How good the predictors of runs were, iteration by iteration, averaged over seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynas.report.compare import Comparison, standard_error
from dynas.runs.qualities import read_qualities


@dataclass(frozen=True)
class Quality:
    """Cross-validated errors of one group's predictors at one iteration, mean and standard error over its runs.

    Attributes:
        objective: what is predicted.
        predictor: name of the group of runs whose predictor it is.
        iteration: iteration of the search, from 1.
        size: measurements that it was trained on, mean over runs.
        trials: number of runs that got so far.
        mape, mape_error: mean absolute percentage error and its standard error, in percent.
        kendall_tau, kendall_tau_error: rank correlation of prediction and measurement, and its standard error.
    """

    objective: str
    predictor: str
    iteration: int
    size: float
    trials: int
    mape: float
    mape_error: float
    kendall_tau: float
    kendall_tau_error: float


def qualities(comparison: Comparison) -> list[Quality]:
    """Return the errors of all groups, per objective and iteration; none of groups that predict nothing.

    Raises:
        DynasError: a run's predictors.csv is damaged.
    """
    found = []
    for group in comparison.groups:
        told = [one for run in group.runs for one in read_qualities(run.folder)]
        rows = [(place, one.objective, one.examples, one.mape, one.kendall_tau) for place, one in told]
        names = [objective.name for objective in comparison.objectives]
        for objective in (name for name in names if any(row[1] == name for row in rows)):
            for iteration in sorted({row[0] for row in rows if row[1] == objective}):
                some = np.array([row[2:] for row in rows if row[:2] == (iteration, objective)])
                mean, error = some.mean(axis=0), standard_error(some)
                errors = (float(value) for column in (1, 2) for value in (mean[column], error[column]))
                found.append(Quality(objective, group.name, iteration, float(mean[0]), len(some), *errors))
    return found
