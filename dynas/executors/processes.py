"""Measuring in several processes of this machine, any of which may die."""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue

from dynas.core.evaluation import Measure, Measurement
from dynas.core.space import Genotypes
from dynas.executors.child import LostError, Process
from dynas.executors.pool import Pool, Started, shared_out
from dynas.executors.worker import Limits


class Processes(Pool):
    """Measures in processes that are started when they are first needed, and anew when one dies.

    Args:
        measure, together, values: see `dynas.executors.pool.Pool`.
        workers: number of processes; None: as many as there are cores for their threads.
        threads: threads of each; None: the cores are shared out evenly.
        time_limit_s, memory_gib: see `dynas.executors.worker.Limits`.

    Raises:
        DynasError: a number makes no sense, or what measures cannot be pickled.
    """

    def __init__(
        self,
        measure: Measure,
        together: int = 1,
        values: int = 1,
        workers: int | None = None,
        threads: int | None = None,
        time_limit_s: float | None = None,
        memory_gib: float | None = None,
    ) -> None:
        limits = Limits(threads, time_limit_s, memory_gib)
        count, each = shared_out(workers, threads)
        super().__init__(measure, together, values, replace(limits, threads=each))
        self._processes = [Process(self._sent) for _ in range(count)]
        self._idle: SimpleQueue[Process] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(count)  # each waits for one process

    @property
    def workers(self) -> int:
        """Number of processes."""
        return len(self._processes)

    def start(self, genotypes: Genotypes) -> Started:
        """Start to measure a chunk ``(n, G)``."""
        return self._threads.submit(self._measure, genotypes)

    def loss(self, error: Exception) -> str | None:
        """Return how a worker died."""
        if not isinstance(error, LostError):
            return None
        code = error.exitcode
        if sys.platform == "win32" or code >= 0:
            return f"the worker ended with status {code}"
        if -code == signal.SIGALRM and self._sent.limits.time_limit_s is not None:
            return f"not done within time_limit_s={self._sent.limits.time_limit_s:g}"
        hint = ", as when memory runs out," if -code == signal.SIGKILL else ""
        return f"the worker was killed by signal {-code} ({signal.Signals(-code).name}){hint}"

    def close(self) -> None:
        """Stop all workers; what they are measuring is lost."""
        with self._lock:
            self._queue.clear()
        for process in self._processes:
            process.stop()
        self._threads.shutdown()

    def _measure(self, genotypes: Genotypes) -> list[Measurement]:
        process = self._idle.get()
        try:
            return process.measure(genotypes)
        finally:
            self._idle.put(process)
