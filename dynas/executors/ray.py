"""Measuring on a Ray cluster: https://docs.ray.io."""

from __future__ import annotations

import logging

from dynas.core.evaluation import Measure, Measurement
from dynas.core.space import Genotypes
from dynas.errors import DynasError
from dynas.executors.child import deaf_children
from dynas.executors.pool import Pool, Started, shared_out
from dynas.executors.worker import Limits, Sent, hold, measure_held
from dynas.system.extras import install

try:
    import ray
    from ray.exceptions import NodeDiedError, OutOfMemoryError, RayTaskError, WorkerCrashedError
except ImportError as error:
    raise DynasError(f"executor=ray needs Ray: {install('ray')}") from error


class Ray(Pool):
    """Measures by tasks of a Ray cluster, or of one of its own on this machine.

    What measures lies in Ray's object store, which brings it to every node once. Tasks run what is sent to them, and
    the main process believes what they answer: use a cluster that you trust.

    Args:
        measure, together, values: see `dynas.executors.pool.Pool`.
        address: ``auto`` for the cluster that this machine is part of, or ``ray://host:10001``; None: one of its own.
        workers: tasks at a time of that one; None: as many as there are cores for them.
        cpus: cores that each task takes.
        gpus: GPUs that each task takes, such as 0.5.
        time_limit_s, memory_gib: see `dynas.executors.worker.Limits`.

    Raises:
        DynasError: a number makes no sense, or there is no such cluster.
    """

    def __init__(
        self,
        measure: Measure,
        together: int = 1,
        values: int = 1,
        address: str | None = None,
        workers: int | None = None,
        cpus: int = 1,
        gpus: float = 0,
        time_limit_s: float | None = None,
        memory_gib: float | None = None,
    ) -> None:
        if cpus < 1 or gpus < 0:
            raise DynasError(f"executor=ray needs executor.cpus >= 1 and executor.gpus >= 0, got {cpus} and {gpus}")
        tasks, _ = shared_out(workers, cpus)
        super().__init__(measure, together, values, Limits(cpus, time_limit_s, memory_gib))
        self._cpus, self._gpus = cpus, gpus
        count = None if address else cpus * tasks
        try:
            with deaf_children():
                ray.init(
                    address=address or "local", num_cpus=count, include_dashboard=None if address else False,
                    log_to_driver=False, logging_level=logging.CRITICAL,
                )  # fmt: skip
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise DynasError(f"no Ray cluster answers at executor.address={address}: {error}") from error
        self._object = ray.put(self._sent)
        self._task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(measure_sent)

    @property
    def workers(self) -> int:
        """Number of tasks that the cluster can run at a time."""
        there = ray.cluster_resources()
        rooms = [there.get("CPU", 0) / self._cpus]
        if self._gpus:
            rooms.append(there.get("GPU", 0) / self._gpus)
        return int(min(rooms))

    def start(self, genotypes: Genotypes) -> Started:
        """Start to measure a chunk ``(n, G)``."""
        started: Started = self._task.remote(self._object, genotypes).future()
        return started

    def loss(self, error: Exception) -> str | None:
        """Return how the worker was lost."""
        if isinstance(error, RayTaskError) and isinstance(error.cause, DynasError):
            raise error.cause
        if isinstance(error, OutOfMemoryError):
            return "the node ran out of memory"
        if not isinstance(error, WorkerCrashedError | NodeDiedError):
            return None
        limit = self._sent.limits.time_limit_s
        late = "" if limit is None else f", or took longer than time_limit_s={limit:g}"
        return f"the worker died{late}"

    def close(self) -> None:
        """Leave the cluster; one of its own ends."""
        with self._lock:
            self._queue.clear()
        ray.shutdown()


def measure_sent(sent: Sent, genotypes: Genotypes) -> list[Measurement]:
    """Measure genotypes ``(n, G)`` in a task."""
    hold(sent)
    return measure_held(sent.digest, sent.limits, genotypes)
