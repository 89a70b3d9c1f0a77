"""Who may use a device of this machine just now: many at a time, or one alone.

While a latency is measured nothing else may be measured beside it, be it by another worker of the same search or by
another run. The locks are held on files in the folder for temporary files, so that the system releases them when a
process dies, however it does.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dynas.errors import DynasError
from dynas.system.limits import paused

CPU = "cpu"


@contextmanager
def turn(device: str, alone: bool) -> Iterator[None]:
    """Use a device in the block, once it is free.

    Whoever wants it waits at the gate, then enters the room; the first in the line keeps the gate until the room is
    free for it. So nobody overtakes one who waits for the others to leave.

    Args:
        device: such as ``cpu``; its users exclude each other, those of another device don't.
        alone: whether nobody else may use it meanwhile.

    Raises:
        DynasError: the lock's files cannot be made.
    """
    with ExitStack() as stack:
        with paused(), hold(device, "gate", alone=True):
            stack.enter_context(hold(device, "room", alone))
        yield


@contextmanager
def hold(device: str, name: str, alone: bool) -> Iterator[None]:
    """Hold the lock of one file, shared or alone."""
    descriptor = opened(lock_path(device, name))
    try:
        acquire(descriptor, alone)
        yield
    finally:
        os.close(descriptor)


def lock_path(device: str, name: str) -> Path:
    """Return the file of a lock; every user has their own, so that nobody can hold up another."""
    user = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "")
    return Path(tempfile.gettempdir()) / f"dynas_{user}_{device.replace(':', '_')}.{name}"


def opened(path: Path) -> int:
    """Return a descriptor of a file that is made where it is missing."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise DynasError(
            f"cannot lock this machine for a measurement by '{path}' ({error.strerror}): set TMPDIR to a folder that "
            "can be written"
        ) from error


def acquire(descriptor: int, alone: bool) -> None:
    """Wait for the lock of an open file, until it is closed."""
    if sys.platform == "win32":  # knows no shared locks here: everything is measured alone
        import msvcrt
        import time

        while True:
            try:
                return msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(0.01)
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
