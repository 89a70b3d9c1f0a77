"""Limits that the system enforces on this process, whatever its code is doing, such as hanging in a native library."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dynas.errors import DynasError

LEAST_ADDRESSES = 3 * 2**29  # bytes; OpenBLAS tries forever where it gets none for its buffers


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Kill this process by SIGALRM where the block takes longer than ``seconds`` of wall time; None: no limit."""
    if seconds is None:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def paused() -> Iterator[None]:
    """Stop the clock of `time_limit` meanwhile, such as while this process waits for another one."""
    if sys.platform == "win32":
        yield
        return
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        if left:
            signal.setitimer(signal.ITIMER_REAL, left)


def limit_memory(gib: float | None) -> None:
    """Let allocations fail that bring the data of this process beyond ``gib`` GiB; None: no limit."""
    if gib is None or sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (int(gib * 2**30), hard))


def check_address_space() -> None:
    """Raise DynasError where this process may have so few addresses that native libraries hang as they are loaded."""
    if sys.platform == "win32":
        return
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if resource.RLIM_INFINITY != allowed < LEAST_ADDRESSES:
        raise DynasError(
            f"this process may have {allowed / 2**30:.1f} GiB of memory, but {LEAST_ADDRESSES / 2**30:.1f} are needed "
            "for the libraries alone: raise the limit by ulimit -v"
        )
