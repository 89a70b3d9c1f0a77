"""Files that are replaced as a whole, the numbers in them, and JSON that is read strictly."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import glob
import io
import json
import math
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np

from dynas.errors import DynasError

PARTIAL = ".partial"  # ends the name of a file that is not yet whole
RANDOM = 8  # bytes in such a name


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of ``path`` as a whole at the end, and never before.

    A reader or a crash never sees half of it. It is written under a name that nobody can guess and that must be new:
    a link that somebody left in the folder is replaced, never followed. What a process left that was killed while it
    wrote the same file is removed.
    """
    _remove_left(path)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(RANDOM)}{PARTIAL}")
    try:
        with open(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "w+b") as file:
            with contextlib.suppress(OSError):  # some network file systems have no locks
                fcntl.flock(file, fcntl.LOCK_EX)  # while we live, it is no leftover
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a crash of the machine could leave the new name without the new content
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _remove_left(path: Path) -> None:
    for left in path.parent.glob(f"{glob.escape(path.name)}.{'[0-9a-f]' * 2 * RANDOM}{PARTIAL}"):
        with contextlib.suppress(OSError):  # a lock that a living process holds, or one that cannot be had
            descriptor = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(descriptor)


def write_atomic(path: Path, text: str) -> None:
    """Replace a text file as a whole."""
    with replacing(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def open_appending(path: Path) -> TextIO:
    """Open a table to append rows to it; where it is a link, OSError is raised rather than another file changed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    return open(os.open(path, flags, 0o666), "a", newline="", encoding="utf-8", errors="backslashreplace")


def refuse_links(folder: Path) -> None:
    """Raise DynasError where something in a run folder is a link or no plain file: writing could change another file.

    A folder from somebody else may hold a ``search.log`` that points to a file of the user's.
    """
    for pattern in ("*", ".hydra/*"):
        for entry in sorted(folder.glob(pattern)):
            if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
                raise DynasError(
                    f"'{entry}' is a link or no plain file, and writing to it could change a file elsewhere: "
                    "put a copy of what it stands for in its place, or remove it"
                )


def whole_number(text: str) -> int:
    """Return the natural number that a text says; raise ValueError where it says none, or one beyond any count."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError(f"'{text[:40]}' is no whole number from 0 to 10^18")
    return int(text)


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Replace a CSV file as a whole."""
    write_atomic(path, "".join(csv_line(row) for row in [header, *rows]))


def csv_line(cells: Sequence[object]) -> str:
    """Return one line of a CSV file."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def number(value: float) -> str:
    """Return the shortest text that reads back as ``value``; empty for an unmeasured one."""
    if not math.isfinite(value):
        return ""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def from_json(text: str | bytes) -> Any:
    """Return what a JSON text says; raise ValueError where it is none, or nested beyond what anyone would write."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def plain_value(value: object) -> object:
    """Return what JSON writes of a value that it does not know: the number in one of NumPy's, else its text."""
    return value.item() if isinstance(value, np.generic) else str(value)
