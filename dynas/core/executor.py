"""The contract of executors: candidates go in, measurements come out, in any order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dynas.core.evaluation import Measure, Measurement
from dynas.core.space import Genotypes

Measured = tuple[NDArray[np.int64], Measurement]  # a canonical genotype (G,) and what measuring it gave


class Executor(Protocol):
    """Measures candidates, one or several at a time."""

    @property
    def workers(self) -> int:
        """How many candidates, or groups of candidates, it measures at the same time."""
        ...

    def submit(self, genotypes: Genotypes) -> None:
        """Queue canonical genotypes ``(n, G)``, none of which is queued or being measured."""
        ...

    def collect(self) -> Sequence[Measured]:
        """Wait until at least one of what was submitted is measured, and return what is; empty if none is left.

        Raises:
            DynasError: the settings are at fault, not a candidate.
        """
        ...

    def cancel(self) -> Genotypes:
        """Give up what has not begun and return it ``(n, G)``; what is being measured is still collected."""
        ...

    def close(self) -> None:
        """Stop all workers; what they are measuring is lost."""
        ...


class ExecutorFactory(Protocol):
    """Makes an executor."""

    def __call__(self, measure: Measure, together: int, values: int) -> Executor:
        """Return an executor.

        Args:
            measure: measures candidates.
            together: how many are best measured together.
            values: how many values a measurement has.
        """
        ...


def measured(executor: Executor, genotypes: Genotypes) -> Iterator[Measured]:
    """Measure canonical genotypes ``(n, G)`` and yield each as soon as it is known."""
    executor.submit(genotypes)
    while some := executor.collect():
        yield from some
