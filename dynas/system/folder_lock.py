"""One process per run folder: who holds it is told to everybody else, and a dead process holds nothing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from dynas.errors import DynasError, DynasWarning

LOCK = ".lock"
WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # some network file systems


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder while the block runs.

    The lock is one of the kernel's (POSIX record locks): it ends with the process, however that ends, it is not passed
    on to the processes that the block starts, and it holds among the machines that share a network file system. The
    file stays, empty, so that nobody locks a file that another one has just removed.

    Raises:
        DynasError: another process holds it, which is named, or the folder cannot be written.
    """
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise DynasError(f"cannot write to '{folder}': {error.strerror}") from error
    try:
        _acquire(folder, descriptor)
        _note(descriptor, f"process {os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %X} UTC")
        try:
            yield
        finally:
            _note(descriptor, "")
    finally:
        os.close(descriptor)


def _acquire(folder: Path, descriptor: int) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            owner = _printable(os.pread(descriptor, 200, 0)) or "another process"
            raise DynasError(f"'{folder}' is in use by {owner}: wait until it has ended, or stop it") from error
        warnings.warn(
            f"'{folder}' lies where files cannot be locked: let no second process work on it",
            DynasWarning,
            stacklevel=3,
        )


def _printable(content: bytes) -> str:
    return "".join(sign for sign in content.decode(errors="replace") if sign.isprintable())


def _note(descriptor: int, text: str) -> None:
    with contextlib.suppress(OSError):  # on a full disk the lock still holds; only its owner stays unknown
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
