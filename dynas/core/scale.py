"""Which quantities are told apart by their ratios rather than by their differences."""

from __future__ import annotations

import numpy as np

from dynas.core.objectives import Objective, Values

WIDE = 20.0  # times the least value


def is_logarithmic(objective: Objective, values: Values) -> bool:
    """Return whether a logarithmic scale serves values ``(n,)`` of an objective: a cost whose values span much.

    That is one whose measured values are positive, the largest at least `WIDE` times the least: on a linear scale most
    of them would share a twentieth of it. Qualities stay linear, as their differences count.
    """
    finite = values[np.isfinite(values)]
    return objective.direction == "min" and len(finite) > 0 and bool(0 < finite.min() * WIDE <= finite.max())
