"""The hypervolume of runs, up to a reference point that they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynas.core.objectives import Values, losses
from dynas.core.pareto import hypervolume, hypervolume_curve, nadir
from dynas.runs.load import Run


def reference_point(runs: Sequence[Run]) -> tuple[float, ...]:
    """Return the worst value of each objective measured in any of the runs, NaN where nothing was.

    The runs share their objectives; candidates beyond a bound count too.
    """
    measured = np.concatenate([run.first.losses[run.first.measured] for run in runs])
    if len(measured) == 0:
        return (float("nan"),) * len(runs[0].objectives)
    return tuple(float(value) for value in losses(runs[0].objectives, nadir(measured)[None])[0])


def volumes(run: Run, reference: Sequence[float]) -> Values:
    """Return the hypervolume ``(n,)`` after each evaluation, up to a reference point in the objectives' units.

    Candidates that failed or are beyond a bound add nothing. Values are those that the search knew, each measured once.
    """
    return hypervolume_curve(run.first.feasible_losses, losses(run.objectives, np.array([reference], dtype=float))[0])


def confirmed_volume(run: Run, reference: Sequence[float]) -> float | None:
    """Return the hypervolume of a front whose members were measured again; None where they were not."""
    return front_volume(run, reference) if run.confirmed else None


def front_volume(run: Run, reference: Sequence[float]) -> float:
    """Return the hypervolume of a run's final front."""
    point = losses(run.objectives, np.array([reference], dtype=float))[0]
    return hypervolume(run.losses[run.front], point)
