"""Objectives scaled to their range, so that runs read alike whatever the device is fast at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dynas.errors import DynasError, one_of
from dynas.report.comparable import check_comparable
from dynas.runs.load import Run

UNIT = "normalised"


@dataclass(frozen=True)
class Scale:
    """The limits of an objective, in its unit: ``low`` becomes 0 and ``high`` becomes 1."""

    name: str
    unit: str
    low: float
    high: float
    given: bool

    def __str__(self) -> str:
        whence = "as given" if self.given else "the least and the largest measured in any of the runs"
        low, high = f"{self.low:.6g}", f"{self.high:.6g}"
        return f"{self.name} is normalised: ({self.name} - {low}) / ({high} - {low}), in {self.unit}; {whence}"


def normalise(runs: Sequence[Run], wanted: str) -> tuple[list[Run], Scale]:
    """Return runs with one objective as ``(l - l_min) / (l_max - l_min)``, and the range.

    Cummings et al. 2022, Appendix E, print ``l_max`` alone as the denominator, by which the slowest would not reach 1.

    Args:
        runs: runs to be compared.
        wanted: name of the objective, by itself or as ``name=l_min,l_max`` in its unit.

    Raises:
        DynasError: the runs cannot be compared, have no such objective, or the limits make no sense.
    """
    measured = [run for run in runs if run.measured.any()]
    if not measured:
        raise DynasError(f"nothing to normalise {wanted.split('=')[0]} by: none of the runs has measured a sub-network")
    check_comparable(measured, "--where")
    name, _, limits = wanted.partition("=")
    names = [objective.name for objective in measured[0].objectives]
    if name not in names:
        raise one_of("objective", name, names)
    column = names.index(name)
    values = np.concatenate([one.values[one.measured, column] for run in measured for one in (run, run.first)])
    low, high = _limits(limits) if limits else (float(values.min()), float(values.max()))
    if not -np.inf < low < high < np.inf:
        raise DynasError(
            f"--normalise {wanted}: the range {low:g} to {high:g} is empty; give two limits as {name}=l_min,l_max"
        )
    scale = Scale(name, measured[0].objectives[column].unit, low, high, bool(limits))
    return [_scaled(run, column, scale) for run in runs], scale


def _limits(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split(","))
        return low, high
    except ValueError as error:
        raise DynasError(f"cannot read the limits '{text}': write --normalise latency=5,20") from error


def _scaled(run: Run, column: int, scale: Scale) -> Run:
    values = run.values.copy()
    values[:, column] = (values[:, column] - scale.low) / (scale.high - scale.low)
    objectives = list(run.objectives)
    bound = objectives[column].bound
    objectives[column] = replace(
        objectives[column],
        unit=UNIT,
        bound=None if bound is None else (bound - scale.low) / (scale.high - scale.low),
    )
    before = None if run.unconfirmed is None else _scaled(run.unconfirmed, column, scale)
    return replace(run, values=values, objectives=tuple(objectives), unconfirmed=before)
