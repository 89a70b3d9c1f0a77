"""The contracts of metrics: those that measure sub-networks and those that only count.

Either may carry two more attributes: ``unit``, which replaces the objective's unit wherever its values appear
(such as ``%, modelled``), and ``note``, a sentence that a search says of it on the screen and in run.json. One that
measures may have a method ``check(bench)``, which raises DynasError where it cannot measure there: a search asks once
before it starts; and ``noisy = True`` where measuring the same sub-network twice gives two values: members of the front
are then measured again at the end (see `dynas.modes.confirm`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from numpy.typing import NDArray
from torch import nn

from dynas.core.space import Genotypes
from dynas.core.supernet import Supernet

if TYPE_CHECKING:
    import numpy as np

    from dynas.core.bench import Bench


@dataclass(frozen=True)
class Reading:
    """One measured value in the objective's unit, and what belongs to it: numbers, or words where it has no unit."""

    value: float
    extras: Mapping[str, float | str] = field(default_factory=dict)


@runtime_checkable
class MeasuredMetric(Protocol):
    """Measures extracted sub-networks; its objective is predicted inside LINAS."""

    extras: tuple[str, ...]

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Return one reading per sub-network.

        Args:
            subnets: stand-alone modules in eval mode; a metric may change them in place.
            bench: the data and the latency meter of this run.

        Raises:
            DynasError: the settings are at fault, which ends the search; anything else that is raised fails the
                candidates at hand only.
        """
        ...


@runtime_checkable
class CountedMetric(Protocol):
    """Computes from the architecture alone: no sub-network is extracted.

    Attributes:
        exact: True where a search may compute it for every candidate; False where it stands in for a measurement,
            so that only evaluations learn its values and LINAS predicts them.
    """

    exact: bool

    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return the values ``(n,)`` of canonical genotypes ``(n, G)``.

        Raises:
            DynasError: it does not apply to this supernet; a search asks once before it starts.
        """
        ...


Metric = MeasuredMetric | CountedMetric


def follow(metric: Metric, parts: Sequence[object]) -> Metric:
    """Return a part's own version of a metric, where the data or the hardware brings one, else the metric.

    A part brings versions by an attribute ``metrics``, a mapping from a metric's class to what replaces it.
    """
    for part in parts:
        metric = getattr(part, "metrics", {}).get(type(metric), metric)
    return metric
