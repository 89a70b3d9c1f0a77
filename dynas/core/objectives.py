"""Objectives: what is measured, which way is better, in which unit, and within which bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dynas.errors import DynasError, shown

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
        if not isinstance(self.name, str) or not self.name or not isinstance(self.unit, str):
            raise DynasError(f"an objective needs a name and a unit in words, got {self.name!r} and {self.unit!r}")
        if self.bound is not None and not is_finite(self.bound):
            raise DynasError(
                f"objective '{self.name}' has the bound {shown(self.bound)}: "
                f"give a finite number of {self.unit}, or None"
            )

    @property
    def column(self) -> str:
        """Column name in tables, such as ``latency [ms]``."""
        return f"{self.name} [{self.unit}]"

    @property
    def sign(self) -> float:
        """Factor between values and losses."""
        return 1.0 if self.direction == "min" else -1.0


def is_finite(bound: object) -> bool:
    """Return whether something is a real number, and neither infinite nor NaN."""
    try:
        return isinstance(bound, Real) and not isinstance(bound, bool) and math.isfinite(bound)
    except OverflowError:  # an integer beyond all floating-point numbers
        return False


def check_objectives(objectives: Sequence[Objective]) -> tuple[Objective, ...]:
    """Return objectives; raise DynasError where they are none, are no objectives, or two have the same name."""
    if not isinstance(objectives, Sequence) or isinstance(objectives, str) or not objectives:
        raise DynasError(f"a search needs a list of at least one objective, got {objectives!r}")
    for objective in objectives:
        if not isinstance(objective, Objective):
            raise DynasError(f"objectives are dynas.Objective(name, direction, unit), got {objective!r}")
    names = [objective.name for objective in objectives]
    if twice := [name for name in names if names.count(name) > 1]:
        raise DynasError(f"two objectives are called '{twice[0]}'")
    return tuple(objectives)


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
