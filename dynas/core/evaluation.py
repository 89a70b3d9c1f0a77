"""What is said of an evaluation, who keeps it and who hears of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dynas.core.space import Genotypes


@dataclass(frozen=True)
class Measurement:
    """What measuring one sub-network gave.

    Attributes:
        values: one value per objective, NaN where unmeasured.
        extras: further columns, such as a latency's spread.
        seconds: wall time that it took.
        error: the reason where it failed, else empty.
    """

    values: tuple[float, ...]
    extras: Mapping[str, float | str] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Evaluation:
    """One row of results.csv: a measurement with its place in the run."""

    index: int
    iteration: int
    key: str
    genotype: NDArray[np.int64]
    measurement: Measurement
    timestamp: str


@dataclass(frozen=True)
class Pending:
    """A candidate that is being measured, with its place in the run."""

    index: int
    iteration: int
    genotype: NDArray[np.int64]


Measure = Callable[[Genotypes], Iterator[Measurement]]  # one per candidate, in order


class Store(Protocol):
    """Where evaluations are kept."""

    @property
    def history(self) -> Sequence[Evaluation]:
        """All of them, in the order of asking."""
        ...

    def find(self, key: str) -> Evaluation | None:
        """Return the evaluation of a sub-network, if it was measured before."""
        ...

    def append(self, evaluation: Evaluation) -> None:
        """Keep an evaluation for good before anything else happens."""
        ...


class Observer(Protocol):
    """Someone who watches a search."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """Hear of a measured or remembered evaluation."""
        ...

    def fitted(self, iteration: int, quality: Sequence[PredictorQuality]) -> None:
        """Hear of the predictors that were trained in an iteration."""
        ...


@dataclass(frozen=True)
class PredictorQuality:
    """Cross-validated errors of one objective's predictor on all measurements so far.

    Attributes:
        objective: name of the objective.
        examples: number of measurements.
        mape: mean absolute percentage error, in percent.
        kendall_tau: rank correlation between prediction and measurement.
    """

    objective: str
    examples: int
    mape: float
    kendall_tau: float
