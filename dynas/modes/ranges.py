"""Ranges of an objective that become constraints of separate searches (Cummings et al. 2022, Appendix G.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from dynas.core.problem import Batch, Problem
from dynas.errors import DynasError, one_of


@dataclass(frozen=True)
class Range:
    """One constrained search: the objective's value must be above ``low`` and at most ``high``."""

    objective: str
    low: float
    high: float

    def column(self, problem: Problem) -> int:
        """Return the column of the objective; raise DynasError where it is not one of the problem's."""
        names = [objective.name for objective in problem.objectives]
        if self.objective not in names:
            raise one_of("objective in mode.ranges", self.objective, names)
        return names.index(self.objective)

    def constrain(self, problem: Problem, batch: Batch) -> Batch:
        """Return the batch with this range as a constraint instead of the objective: losses ``(n, M - 1)``."""
        column = self.column(problem)
        values = problem.objectives[column].sign * batch.losses[:, column]
        beyond = np.maximum(values - self.high, 0.0) + np.maximum(self.low - values, 0.0)
        violation = batch.violation + np.nan_to_num(beyond) / (abs(self.high) or 1.0)
        return replace(batch, losses=np.delete(batch.losses, column, axis=1), violation=violation)


def parse_ranges(ranges: Mapping[str, Sequence[float]]) -> list[Range]:
    """Return one `Range` per rising upper end, from the lowest on, such as of ``{"latency": [20, 25, 30]}``.

    Raises:
        DynasError: there are several objectives, or no rising numbers.
    """
    if not isinstance(ranges, Mapping):
        raise DynasError(f"mode.ranges is given as {{latency: [20,25,30]}}, got {ranges}")
    if len(ranges) > 1:
        raise DynasError(f"mode.ranges takes one objective, got {', '.join(ranges)}")
    for name, ends in ranges.items():
        wanted = f"mode.ranges.{name} needs rising numbers such as [20,25,30], got {ends}"
        if not isinstance(ends, list | tuple) or not ends or not all(isinstance(end, int | float) for end in ends):
            raise DynasError(wanted)
        edges = list(pairwise([-np.inf, *map(float, ends)]))
        if any(low >= high for low, high in edges):
            raise DynasError(wanted)
        return [Range(name, low, high) for low, high in edges]
    return []
