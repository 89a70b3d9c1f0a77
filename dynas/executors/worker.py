"""What happens inside a worker: it is given what measures once, then measures chunk after chunk within limits."""

from __future__ import annotations

import hashlib
import os
import pickle
import signal
import sys
from dataclasses import dataclass

import cloudpickle

from dynas.core.evaluation import Measure, Measurement
from dynas.core.space import Genotypes
from dynas.errors import DynasError, reason
from dynas.system.device_lock import CPU, turn
from dynas.system.limits import limit_memory, time_limit


@dataclass(frozen=True)
class Limits:
    """What a worker may use.

    Attributes:
        threads: intra-operation threads of everything but latencies; None: as the library likes.
        time_limit_s: seconds per evaluation after which the worker is killed, or None.
        memory_gib: GiB that a worker may allocate before its allocations fail, or None.

    Raises:
        DynasError: a number makes no sense, or this system knows no such limit.
    """

    threads: int | None = None
    time_limit_s: float | None = None
    memory_gib: float | None = None

    def __post_init__(self) -> None:
        for name in ("threads", "time_limit_s", "memory_gib"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise DynasError(f"executor.{name}={value}: give a positive number, or null for none")
        if self.time_limit_s is not None and not hasattr(signal, "setitimer"):
            raise DynasError("executor.time_limit_s needs the timers of Linux or macOS: give null")
        if self.memory_gib is not None and sys.platform == "win32":
            raise DynasError("executor.memory_gib needs the limits of Linux or macOS: give null")


@dataclass(frozen=True)
class Sent:
    """What measures, on its way to workers.

    Attributes:
        data: its pickle.
        digest: what tells it from others.
        limits: what a worker may use.
    """

    data: bytes
    digest: str
    limits: Limits


def send(measure: Measure, limits: Limits) -> Sent:
    """Pack what measures, functions of a script or a notebook included (https://github.com/cloudpipe/cloudpickle).

    Raises:
        DynasError: a part of it cannot leave this process.
    """
    try:
        data = cloudpickle.dumps(measure)
    except Exception as error:  # a user's class may raise anything
        raise DynasError(
            f"what measures goes to the workers by pickle, which fails ({reason(error)}): "
            "make that part picklable, or give executor=serial"
        ) from error
    return Sent(data, hashlib.sha256(data).hexdigest(), limits)


_held: dict[str, Sent] = {}
_loaded: dict[str, Measure] = {}


def hold(sent: Sent) -> None:
    """Keep what measures until it is first used."""
    if sent.digest not in _loaded:
        _held[sent.digest] = sent


def drop(digest: str) -> None:
    """Forget what measures."""
    _held.pop(digest, None)
    _loaded.pop(digest, None)


def measure_held(digest: str, limits: Limits, genotypes: Genotypes) -> list[Measurement]:
    """Measure genotypes ``(n, G)`` by what was given before.

    Raises:
        DynasError: it cannot be loaded here.
    """
    if digest not in _loaded:
        _loaded[digest] = load(_held.pop(digest))
    limit = None if limits.time_limit_s is None else limits.time_limit_s * len(genotypes)
    with time_limit(limit):
        return list(_loaded[digest](genotypes))


def load(sent: Sent) -> Measure:
    """Unpack what measures; latencies that others measure on this machine are over before, as that takes work."""
    threads = sent.limits.threads
    with turn(CPU, alone=False):
        if threads is not None:  # before torch is imported, for every library that it brings
            os.environ["OMP_NUM_THREADS"] = str(threads)
        try:
            measure: Measure = pickle.loads(sent.data)
        except Exception as error:  # importing a user's class may raise anything
            raise DynasError(
                f"a worker cannot load what it shall measure with ({reason(error)}): "
                "it needs the same packages and the same modules of yours as the main process"
            ) from error
        if threads is not None and (torch := sys.modules.get("torch")):
            torch.set_num_threads(threads)
        limit_memory(sent.limits.memory_gib)
    return measure
