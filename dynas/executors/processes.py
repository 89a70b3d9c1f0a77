"""Measuring in several processes of this machine, any of which may die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import connection, resource_tracker

from pebble import ProcessExpired, ProcessPool

from dynas.evaluate import Measure
from dynas.executors.pool import Pool, Started, shared_out
from dynas.executors.worker import Limits, Sent, hold, measure_held
from dynas.space import Genotypes


class Processes(Pool):
    """Measures in processes that are started when they are first needed, and anew when one dies.

    Args:
        measure, group, values: see `dynas.executors.pool.Pool`.
        workers: number of processes; None: as many as there are cores for their threads.
        threads: threads of each; None: the cores are shared out evenly.
        time_limit_s, memory_gib: see `dynas.executors.worker.Limits`.

    Raises:
        DynasError: a number makes no sense, or what measures cannot be pickled.
    """

    def __init__(
        self,
        measure: Measure,
        group: int = 1,
        values: int = 1,
        workers: int | None = None,
        threads: int | None = None,
        time_limit_s: float | None = None,
        memory_gib: float | None = None,
    ) -> None:
        limits = Limits(threads, time_limit_s, memory_gib)
        self._workers, each = shared_out(workers, threads)
        super().__init__(measure, group, values, replace(limits, threads=each))
        self._pool: ProcessPool | None = None

    @property
    def workers(self) -> int:
        """Number of processes."""
        return self._workers

    def start(self, genotypes: Genotypes) -> Started:
        """Start to measure a chunk ``(n, G)``."""
        arguments = (self._sent.digest, self._sent.limits, genotypes)
        if self._pool is not None:
            try:
                return self._pool.schedule(measure_held, arguments)
            except RuntimeError:  # all workers died while nothing was being measured
                self.close()
        self._pool = ProcessPool(
            self.workers, initializer=begin, initargs=(self._sent,), context=multiprocessing.get_context("spawn")
        )
        with deaf_children():
            return self._pool.schedule(measure_held, arguments)

    def loss(self, error: Exception) -> str | None:
        """Return how a worker died."""
        if isinstance(error, BrokenProcessPool):
            return "the workers could not be kept alive"
        if not isinstance(error, ProcessExpired):
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
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()


def begin(sent: Sent) -> None:
    """Prepare a worker: keep what measures, and end with the main process, however that ends."""
    hold(sent)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Wait for the end of the main process, then end this one at once."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def deaf_children() -> Iterator[None]:
    """Let processes that are started by this thread, or by threads that it starts, never hear of Ctrl-C.

    Ctrl-C reaches all processes of a terminal. The main process stops its workers, which must not complain before.
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # which otherwise opens this thread's ears again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
