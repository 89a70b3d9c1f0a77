"""Objectives: what is measured, which way is better, in which unit, and within which bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dynas.errors import DynasError

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Objective:
    """A measured quantity of a sub-network.

    Attributes:
        name: short name, also the start of its column in results.csv.
        direction: ``max`` or ``min``: which way is better.
        unit: unit of its values.
        bound: worst value that is still allowed (a constraint), or None.
        exact: whether it is computed from the architecture alone and therefore never predicted.
    """

    name: str
    direction: Literal["min", "max"]
    unit: str
    bound: float | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        if self.direction not in ("min", "max"):
            raise DynasError(f"objective '{self.name}' has direction '{self.direction}': choose min or max")

    @property
    def column(self) -> str:
        """Column name in tables, such as ``latency [ms]``."""
        return f"{self.name} [{self.unit}]"

    @property
    def sign(self) -> float:
        """Factor between values and losses."""
        return 1.0 if self.direction == "min" else -1.0


def losses(objectives: Sequence[Objective], values: Values) -> Values:
    """Turn values ``(n, M)`` into losses ``(n, M)``, lower is better; the same call turns them back."""
    return np.asarray(values * np.array([objective.sign for objective in objectives]))


def violation(objectives: Sequence[Objective], values: Values) -> Values:
    """Return ``(n,)``: the sum over objectives of how far a value is beyond its bound, relative to the bound."""
    total = np.zeros(len(values))
    for column, objective in enumerate(objectives):
        if objective.bound is not None:
            excess = objective.sign * (values[:, column] - objective.bound)
            total += np.maximum(excess, 0.0) / (abs(objective.bound) or 1.0)
    return total
