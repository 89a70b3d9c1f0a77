"""Measuring on the workers of a Dask cluster: https://distributed.dask.org."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from dynas.core.evaluation import Measure
from dynas.core.space import Genotypes
from dynas.errors import DynasError
from dynas.executors.child import deaf_children
from dynas.executors.pool import Pool, Started, shared_out
from dynas.executors.worker import Limits, Sent, hold, measure_held
from dynas.system.extras import install

try:
    import dask
    from distributed import Client, LocalCluster, WorkerPlugin
    from distributed.scheduler import KilledWorker
except ImportError as error:
    raise DynasError(f"executor=dask needs Dask: {install('dask')}") from error

OWN = {  # settings of a cluster of ours
    "distributed.scheduler.allowed-failures": 0,  # every loss is heard of at once: candidates are counted here
    "distributed.nanny.pre-spawn-environ": {},  # what Dask sets there for malloc slows torch down several times
}
PATIENCE = 60  # seconds that a scheduler and its first worker may take to answer


class Dask(Pool):
    """Measures on the workers of a scheduler, or of one of its own on this machine.

    What measures is sent once to every worker, also to those that join later, and each chunk goes to one that is free.
    Workers run what is sent to them, and the main process believes what they answer: use a scheduler that you trust.

    Args:
        measure, together, values: see `dynas.executors.pool.Pool`.
        address: of the scheduler, such as ``tcp://10.0.0.1:8786``; None: a cluster of processes on this machine.
        workers: processes of that cluster; None: as many as there are cores for their threads.
        resources: what a chunk takes of the resources that workers were started with, such as ``{"GPU": 1}``.
        threads, time_limit_s, memory_gib: see `dynas.executors.worker.Limits`.

    Raises:
        DynasError: a number makes no sense, there is no such scheduler, or it has no workers.
    """

    queues = True

    def __init__(
        self,
        measure: Measure,
        together: int = 1,
        values: int = 1,
        address: str | None = None,
        workers: int | None = None,
        resources: Mapping[str, float] | None = None,
        threads: int | None = None,
        time_limit_s: float | None = None,
        memory_gib: float | None = None,
    ) -> None:
        limits = Limits(threads, time_limit_s, memory_gib)
        count, each = shared_out(workers, threads)
        if address is None:
            limits = replace(limits, threads=each)
        super().__init__(measure, together, values, limits)
        self._resources = dict(resources or {})
        self._stack = ExitStack()
        try:
            self._client = self._connect(address, count)
        except BaseException:
            self._stack.close()
            raise

    @property
    def workers(self) -> int:
        """Number of workers that the scheduler has at the moment."""
        return len(self._client.nthreads())  # type: ignore[no-untyped-call]

    def start(self, genotypes: Genotypes) -> Started:
        """Start to measure a chunk ``(n, G)``."""
        started: Started = self._client.submit(
            measure_held, self._sent.digest, self._sent.limits, genotypes, pure=False, resources=self._resources
        )
        return started

    def loss(self, error: Exception) -> str | None:
        """Return that the worker died, or was killed at the time limit."""
        limit = self._sent.limits.time_limit_s
        late = "" if limit is None else f", or took longer than time_limit_s={limit:g}"
        return f"the worker died{late}" if isinstance(error, KilledWorker) else None

    def close(self) -> None:
        """Leave the scheduler; a cluster of its own ends."""
        with self._lock:
            self._queue.clear()
        self._stack.close()

    def _connect(self, address: str | None, count: int) -> Client:
        if address is None:
            self._stack.enter_context(dask.config.set(OWN))
            with deaf_children():
                cluster = LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=count, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
                )
            address = self._stack.enter_context(cluster)
        try:
            client: Client = self._stack.enter_context(
                Client(address, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
            )
        except (OSError, ValueError) as error:
            raise DynasError(f"no Dask scheduler answers at executor.address={address}: {error}") from error
        client.register_plugin(Holder(self._sent))
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise DynasError(
                f"the Dask scheduler at executor.address={address} has no workers: start some with `dask worker "
                f"{address} --nthreads 1`"
            ) from error
        return client


class Holder(WorkerPlugin):
    """Brings what measures to every worker of a cluster."""

    def __init__(self, sent: Sent) -> None:
        self.name = f"dynas-{sent.digest}"
        self._sent = sent

    def setup(self, worker: Any) -> None:
        """Keep what measures on a worker."""
        hold(self._sent)
