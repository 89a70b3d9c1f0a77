"""Constraints beyond objectives: what follows from the architecture, is bounded, and is not optimised."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from dynas.core.objectives import Objective, Values, violation
from dynas.core.space import Architecture, Genotypes, SearchSpace
from dynas.errors import DynasError, DynasWarning, reason


@dataclass(frozen=True)
class Constraint:
    """A quantity of an architecture that has to stay within a bound, such as its memory.

    It is computed, not measured: of candidates and of predictions alike, so that a search keeps away from what is
    beyond the bound without paying for it.

    Attributes:
        name: short name, also the start of its column in results.csv.
        function: from an architecture to a number. What it raises, once it has given a number for the smallest
            sub-network, counts as beyond the bound.
        bound: worst value that is allowed.
        direction: ``min``: at most the bound; ``max``: at least the bound.
        unit: unit of its values.

    Raises:
        DynasError: a direction, a name or a bound that is none.
    """

    name: str
    function: Callable[[Architecture], float]
    bound: float
    direction: Literal["min", "max"] = "min"
    unit: str = ""
    _known: dict[bytes, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.bound is None or not callable(self.function):
            raise DynasError(f"constraint '{self.name}' needs a function and a bound, got {self.function!r}")
        self.limit  # noqa: B018  checks the rest

    @property
    def limit(self) -> Objective:
        """Its name, direction, unit and bound, as those of an objective."""
        return Objective(self.name, self.direction, self.unit, self.bound, exact=True)

    def values(self, space: SearchSpace, genotypes: Genotypes) -> Values:
        """Return its values ``(n,)`` of canonical genotypes ``(n, G)``; NaN where the function gives none."""
        return np.array([self._value(space, row) for row in genotypes], dtype=float)

    def violation(self, space: SearchSpace, genotypes: Genotypes) -> Values:
        """Return how far ``(n,)`` genotypes are beyond the bound, relative to it; infinite where nothing tells."""
        values = self.values(space, genotypes)
        beyond = violation((self.limit,), np.nan_to_num(values)[:, None])
        return np.where(np.isfinite(values), beyond, np.inf)

    def check(self, space: SearchSpace) -> None:
        """Raise DynasError where the function gives no number for the smallest sub-network."""
        try:
            self._number(space.decode(space.smallest()))
        except Exception as error:  # a user's function may raise anything
            raise DynasError(f"constraint '{self.name}' gives no number for the smallest: {reason(error)}") from error

    def _value(self, space: SearchSpace, row: Genotypes) -> float:
        key = row.tobytes()
        if key not in self._known:
            try:
                self._known[key] = self._number(space.decode(row))
            except Exception as error:  # as above
                told = f"constraint '{self.name}' failed ({reason(error)}): such sub-networks count as beyond its bound"
                warnings.warn(told, DynasWarning, stacklevel=2)
                self._known[key] = math.nan
        return self._known[key]

    def _number(self, architecture: Architecture) -> float:
        value = float(self.function(architecture))
        if not math.isfinite(value):
            raise ValueError(f"{value} is no finite number")
        return value
