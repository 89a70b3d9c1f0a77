"""Measuring one candidate, or one group of them, after the other, in this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from dynas.core.evaluation import Measure, Measurement
from dynas.core.executor import Measured
from dynas.core.space import Genotypes


class Serial:
    """Measures what is submitted in order, when it is collected (see `dynas.core.executor.Executor`).

    Args:
        measure: yields one measurement per candidate, in order.
        together: how many it measures together, so that none of them is lost between two calls.
        values: how many values a measurement has; of use only to executors whose workers may be lost.
    """

    workers = 1

    def __init__(self, measure: Measure, together: int = 1, values: int = 1) -> None:
        self._measure, self._together = measure, together
        self._queue: deque[tuple[Genotypes, Iterator[Measurement]]] = deque()

    def submit(self, genotypes: Genotypes) -> None:
        """Queue genotypes ``(n, G)``."""
        if len(genotypes):
            self._queue.append((genotypes, self._measure(genotypes)))

    def collect(self) -> Sequence[Measured]:
        """Measure the next group and return it; empty if nothing is left."""
        if not self._queue:
            return []
        genotypes, measurements = self._queue.popleft()
        some = list(zip(genotypes, islice(measurements, self._together), strict=False))
        if len(some) < len(genotypes):
            self._queue.appendleft((genotypes[len(some) :], measurements))
        return some

    def cancel(self) -> Genotypes:
        """Forget the queue and return it ``(n, G)``."""
        left = [genotypes for genotypes, _ in self._queue]
        self._queue.clear()
        return np.concatenate(left) if left else np.empty((0, 0), dtype=np.int64)

    def close(self) -> None:
        """Forget the queue."""
        self._queue.clear()
