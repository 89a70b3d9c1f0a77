"""How far sums of a latency table are from whole sub-networks, and the line that brings them closest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynas.core.objectives import Values
from dynas.core.ranks import kendall_tau


@dataclass(frozen=True)
class Agreement:
    """How well latencies stand for measured ones.

    Attributes:
        mape: mean absolute error, in percent of the measured latencies.
        bias: mean signed error, in percent; positive where they are too long.
        tau: Kendall's rank correlation, NaN for fewer than two.
    """

    mape: float
    bias: float
    tau: float


def agreement(given: Values, measured: Values) -> Agreement:
    """Return how well latencies ``(n,)`` stand for measured ones ``(n,)``, all positive."""
    errors = 100 * (given - measured) / measured
    tau = kendall_tau(given, measured) if len(given) > 1 else np.nan
    return Agreement(float(np.abs(errors).mean()), float(errors.mean()), tau)


def fit_line(sums: Values, measured: Values) -> tuple[float, float]:
    """Return scale and offset of the line from sums ``(n,)`` to measured latencies ``(n,)``, n of 2 or more.

    Least squares of the relative errors, so that short latencies count as much as long ones.
    """
    design = np.stack([sums, np.ones_like(sums)], axis=1) / measured[:, None]
    (scale, offset), *_ = np.linalg.lstsq(design, np.ones_like(measured), rcond=None)
    return float(scale), float(offset)


def left_out(sums: Values, measured: Values) -> Values:
    """Return each sum ``(n,)`` as corrected by a line through all others, n of 3 or more."""
    corrected = np.empty_like(sums)
    for index in range(len(sums)):
        rest = np.arange(len(sums)) != index
        scale, offset = fit_line(sums[rest], measured[rest])
        corrected[index] = scale * sums[index] + offset
    return corrected
