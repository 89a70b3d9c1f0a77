"""The contracts of metrics: those that measure sub-networks and those that only count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from numpy.typing import NDArray
from torch import nn

from dynas.space import Genotypes
from dynas.supernets.base import Supernet

if TYPE_CHECKING:
    import numpy as np

    from dynas.bench import Bench


@dataclass(frozen=True)
class Reading:
    """One measured value in the objective's unit, and what belongs to it (column name -> number)."""

    value: float
    extras: Mapping[str, float] = field(default_factory=dict)


@runtime_checkable
class MeasuredMetric(Protocol):
    """Measures extracted sub-networks; its objective is predicted inside LINAS."""

    extras: tuple[str, ...]

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Return one reading per sub-network; whatever it raises fails the candidates at hand only.

        Args:
            subnets: stand-alone modules in eval mode; a metric may change them in place.
            bench: the data and the latency meter of this run.
        """
        ...


@runtime_checkable
class ExactMetric(Protocol):
    """Counts from the architecture alone; never predicted, and cheap enough for every candidate."""

    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the counts ``(n,)`` of canonical genotypes ``(n, G)``."""
        ...


Metric = MeasuredMetric | ExactMetric
