"""Workers on a simulated clock: real searches on a landscape, with evaluations that take time only in the model."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dynas.core.evaluation import Measure
from dynas.core.executor import Measured
from dynas.core.objectives import Values
from dynas.core.space import Genotypes

Seconds = Callable[[Genotypes], Values]  # from genotypes (n, G) to seconds (n,)


@dataclass
class SimulatedWorkers:
    """Workers that are busy for as long as a model says (see `dynas.core.executor.Executor`).

    The clock stands still while candidates are looked up in the landscape; what the search computes between two calls
    passes on it as processor time of this process. Each candidate occupies a worker for ``quality`` seconds and then,
    if ``latency`` takes any, until it had its turn on the one device that latency is measured on.

    Args:
        measure: yields one measurement per candidate, in order.
        workers: how many there are.
        quality: seconds that a worker needs for each candidate.
        latency: seconds that the one device needs for each candidate.
        overhead: seconds that handing out a candidate and taking back its result cost the main process.

    Attributes:
        now: seconds on the clock.
        searching: seconds of these that the search computed.
        waited: seconds of these that it waited for workers.
        done_at: when each candidate was done, in the order of finishing.
    """

    measure: Measure
    workers: int
    quality: Seconds
    latency: float = 0.0
    overhead: float = 0.0
    now: float = 0.0
    searching: float = 0.0
    waited: float = 0.0
    done_at: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start the clock with idle workers."""
        self._free = [0.0] * self.workers
        self._device = 0.0
        self._running: list[tuple[float, int, Measured]] = []
        self._order = 0
        self._left = time.process_time()

    def submit(self, genotypes: Genotypes) -> None:
        """Give each genotype of ``(n, G)`` to the worker that is free first."""
        self._search()
        for genotype, seconds, measurement in zip(
            genotypes, self.quality(genotypes), self.measure(genotypes), strict=True
        ):
            end = max(heapq.heappop(self._free), self.now) + float(seconds)
            if self.latency:
                end = self._device = max(end, self._device) + self.latency
            heapq.heappush(self._free, end)
            self._order += 1
            heapq.heappush(self._running, (end, self._order, (genotype, measurement)))
            self.now += self.overhead
        self._left = time.process_time()

    def collect(self) -> Sequence[Measured]:
        """Let time pass until something is done, and return all that is done by then."""
        self._search()
        if self._running:
            self.waited += max(self._running[0][0] - self.now, 0.0)
            self.now = max(self.now, self._running[0][0])
        done: list[Measured] = []
        while self._running and self._running[0][0] <= self.now:
            end, _, one = heapq.heappop(self._running)
            self.done_at.append(end)
            done.append(one)
        self._left = time.process_time()
        return done

    def cancel(self) -> NDArray[np.int64]:
        """Nothing: a time limit is none of the simulated ones."""
        return np.empty((0, 0), dtype=np.int64)

    def close(self) -> None:
        """Nothing is left to stop."""

    def _search(self) -> None:
        spent = time.process_time() - self._left
        self.searching += spent
        self.now += spent
