"""The contracts of metrics: those that measure sub-networks and those that only count."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from dynas.core.space import Genotypes

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from dynas.core.bench import Bench
    from dynas.core.supernet import Supernet


@dataclass(frozen=True)
class Reading:
    """One measured value in the objective's unit, and what belongs to it: numbers, or words where it has no unit."""

    value: float
    extras: Mapping[str, float | str] = field(default_factory=dict)


class Metric(ABC):  # noqa: B024 - each of its two kinds has one abstract method
    """What both kinds have in common.

    Attributes:
        task: what it judges, such as ``classification``; None: networks and data of any task.
        unit: what replaces the objective's unit wherever its values appear, such as ``%, modelled``; None: nothing.
        note: a sentence that a search says of it on the screen and in run.json.
    """

    task: str | None = None
    unit: str | None = None
    note: str = ""

    def check(self, bench: Bench) -> None:  # noqa: B027 - most metrics fit everything of their task
        """Raise DynasError where it cannot measure there; a search asks once before it starts."""


class MeasuredMetric(Metric):
    """Measures extracted sub-networks; its objective is predicted inside LINAS.

    Attributes:
        extras: columns that it fills besides its objective's, with a unit in square brackets where they are numbers.
        noisy: whether measuring the same sub-network twice gives two values. Nothing else is then measured beside it,
            and members of the front are measured again at the end (`dynas.modes.confirm`).
        times: whether it times sub-networks, so that a reference is timed beside them (`dynas.metrics.latency`).
        portable: whether its value is the same on every device, and depends on nothing but weights, data, precision and
            its own settings: one that was measured before is then taken over (`dynas.runs.known`).
    """

    extras: Sequence[str] = ()
    noisy: bool = False
    times: bool = False
    portable: bool = False

    @abstractmethod
    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Return one reading per sub-network.

        Args:
            subnets: stand-alone modules in eval mode; a metric may change them in place.
            bench: the data and the latency meter of this run.

        Raises:
            DynasError: the settings are at fault, which ends the search; anything else that is raised fails the
                candidates at hand only.
        """


class CountedMetric(Metric):
    """Computes from the architecture alone: no sub-network is extracted.

    Attributes:
        exact: True where a search may compute it for every candidate; False where it stands in for a measurement,
            so that only evaluations learn its values and LINAS predicts them.
        precision: the one precision of sub-networks that its values hold for; None: any.
    """

    exact: bool = True
    precision: str | None = None

    @abstractmethod
    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return the values ``(n,)`` of canonical genotypes ``(n, G)``.

        Raises:
            DynasError: it does not apply to this supernet; a search asks once before it starts.
        """
