"""What executors with several workers share: chunks, a queue, and what becomes of candidates whose worker was lost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from math import ceil, nan
from queue import SimpleQueue
from threading import RLock
from typing import Any, Protocol

import numpy as np

from dynas.core.activity import doing
from dynas.core.evaluation import Measure, Measurement
from dynas.core.executor import Measured
from dynas.core.space import Genotypes
from dynas.errors import DynasError
from dynas.executors.worker import Limits, send
from dynas.system.machine import available_cores

LOST = 2  # lost workers after which a candidate has failed


class Started(Protocol):
    """A chunk that is being measured: the part of `concurrent.futures.Future` that is needed."""

    def result(self) -> list[Measurement]:
        """Return the measurements, or raise what ended them."""
        ...

    def add_done_callback(self, fn: Callable[[Any], object]) -> object:
        """Call a function once it is done, from any thread."""
        ...


def shared_out(workers: int | None, threads: int | None) -> tuple[int, int]:
    """Return how many workers of how many threads this machine takes, given what the user says of them.

    Raises:
        DynasError: no worker.
    """
    if workers is not None and workers < 1:
        raise DynasError(f"executor.workers={workers}: give 1 or more, or null for as many as there are cores")
    cores = available_cores()
    count = workers or max(1, cores // (threads or 1))
    return count, threads or max(1, cores // count)


class Pool(ABC):
    """Hands out chunks to workers (see `dynas.core.executor.Executor`).

    A chunk has as many candidates as are best measured together, or fewer where that keeps all workers busy. Where a
    worker is lost, the candidates of its chunk are measured again one by one; one that has lost two of them has
    failed, and the run goes on.

    Args:
        measure: yields one measurement per candidate, in order; goes to the workers by pickle.
        together: how many are best measured together.
        values: how many values a measurement has.
        limits: what a worker may use.

    Attributes:
        queues: whether a chunk may wait at a worker that measures another one, and be lost with it. What was lost once
            is then measured while nothing else is, so that nobody pays for another.

    Raises:
        DynasError: what measures cannot be pickled.
    """

    queues = False

    def __init__(self, measure: Measure, together: int, values: int, limits: Limits) -> None:
        self._sent = send(measure, limits)
        self._together, self._values = together, values
        self._queue: deque[Genotypes] = deque()
        self._done: SimpleQueue[tuple[Genotypes, Started]] = SimpleQueue()
        self._running, self._uncollected = 0, 0
        self._losses: dict[bytes, list[str]] = {}
        self._alone = False  # whether what was started last had been lost before
        self._lock = RLock()  # workers' answers arrive in threads of their own

    @property
    @abstractmethod
    def workers(self) -> int:
        """Number of chunks that are measured at the same time."""

    @abstractmethod
    def start(self, genotypes: Genotypes) -> Started:
        """Start to measure a chunk ``(n, G)`` on a free worker."""

    @abstractmethod
    def loss(self, error: Exception) -> str | None:
        """Return how the worker was lost that ended a chunk by an error; None where it was not lost."""

    @abstractmethod
    def close(self) -> None:
        """Stop all workers; what they are measuring is lost."""

    def submit(self, genotypes: Genotypes) -> None:
        """Queue genotypes ``(n, G)``."""
        size = max(1, min(self._together, ceil(len(genotypes) / max(1, self.workers))))
        self._enqueue([genotypes[first : first + size] for first in range(0, len(genotypes), size)])

    def collect(self) -> Sequence[Measured]:
        """Wait for the next chunk and return it; empty if nothing is left."""
        while self._uncollected:
            with doing(f"measuring on {self.workers} worker{'s' * (self.workers != 1)}"):
                genotypes, started = self._done.get()
            self._uncollected -= 1
            if some := self._answer(genotypes, started):
                return some
        return []

    def cancel(self) -> Genotypes:
        """Forget what no worker has begun and return it ``(n, G)``."""
        with self._lock:
            left = list(self._queue)
            self._queue.clear()
            self._uncollected -= len(left)
        return np.concatenate(left) if left else np.empty((0, 0), dtype=np.int64)

    def _enqueue(self, chunks: Sequence[Genotypes]) -> None:
        with self._lock:
            self._queue.extend(chunks)
            self._uncollected += len(chunks)
        self._refill()

    def _refill(self) -> None:
        """Give every free worker a chunk."""
        with self._lock:
            while self._queue and self._running < self._room():
                genotypes = self._queue.popleft()
                self._running += 1
                self._alone = genotypes[0].tobytes() in self._losses
                self._started(genotypes).add_done_callback(partial(self._finish, genotypes))

    def _room(self) -> int:
        """Return how many chunks may run beside each other, the next one included."""
        if self.queues and (self._alone or self._queue[0][0].tobytes() in self._losses):
            return 1
        return max(1, self.workers)

    def _started(self, genotypes: Genotypes) -> Started:
        try:
            return self.start(genotypes)
        except Exception as error:  # may happen in a thread of a library; whoever collects shall hear of it
            failed: Future[list[Measurement]] = Future()
            failed.set_exception(error)
            return failed

    def _finish(self, genotypes: Genotypes, started: Started) -> None:
        with self._lock:
            self._running -= 1
        self._done.put((genotypes, started))
        self._refill()

    def _answer(self, genotypes: Genotypes, started: Started) -> list[Measured]:
        try:
            return list(zip(genotypes, started.result(), strict=True))
        except Exception as error:  # whatever ended it; only a lost worker is handled here, all else is raised again
            loss = self.loss(error)
            if loss is None:
                raise
        for row in genotypes:
            self._losses.setdefault(row.tobytes(), []).append(loss)
        failed = [row for row in genotypes if len(self._losses[row.tobytes()]) >= LOST]
        self._enqueue([row[None] for row in genotypes if len(self._losses[row.tobytes()]) < LOST])
        return [(row, self._failure(self._losses.pop(row.tobytes()))) for row in failed]

    def _failure(self, losses: Sequence[str]) -> Measurement:
        how = f"{losses[0]} twice" if len(set(losses)) == 1 else ", then ".join(losses)
        return Measurement((nan,) * self._values, error=how)
