"""Building a latency table: every distinct block of a supernet is timed once, and is on disk before the next ones."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.hardware.lut.blocks import Block, MakeModule
from dynas.hardware.lut.contracts import BlockSupernet
from dynas.hardware.lut.csv_table import COLUMNS, to_row
from dynas.hardware.lut.files import parse
from dynas.system.files import from_json, write_atomic

ORIGIN = "# measured with "


def blocks_of(supernet: Supernet) -> Mapping[Block, MakeModule]:
    """Return all blocks of a supernet, each with what makes its module.

    Raises:
        DynasError: the supernet describes none.
    """
    if not isinstance(supernet, BlockSupernet):
        raise DynasError(
            f"supernet '{supernet.name}' does not describe its blocks, so that no table can be made of it: "
            "give supernet=mbv3, proxyless or another that does, or measure whole sub-networks by hardware=cpu"
        )
    return supernet.block_modules()


class TableWriter:
    """A table that is being measured; every row is on disk once it is known.

    Args:
        path: the table; one that was begun with the same origin goes on.
        origin: the settings that latencies depend on.
        about: what the table holds, one line of text.

    Attributes:
        known: the latencies in milliseconds that the table holds already.

    Raises:
        DynasError: the file is another table, or cannot be written.
    """

    def __init__(self, path: Path, origin: Mapping[str, Any], about: str) -> None:
        self.path = path
        stamp = ORIGIN + json.dumps(origin, sort_keys=True)
        try:
            if not path.exists() or not path.stat().st_size:
                write_atomic(path, f"# {about}\n{stamp}\n{','.join(COLUMNS)}\n")
            whole = path.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]  # a torn last line is measured again
            text = whole.decode("utf-8", "replace")
            check_same(path, text, stamp)
            self.known = parse(path, text)
            os.truncate(path, len(whole))
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise DynasError(f"cannot write the table '{path}': {error.strerror}") from error

    def append(self, block: Block, latency_ms: float) -> None:
        """Write one row."""
        self.known[block] = latency_ms
        self._file.write(to_row(block, latency_ms) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> TableWriter:
        """Return the table."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()


def check_same(path: Path, text: str, stamp: str) -> None:
    """Raise DynasError where a file is not a table that was begun with the same settings."""
    stamps = [line for line in text.splitlines() if line.startswith(ORIGIN)]
    if not stamps:
        raise DynasError(f"'{path}' is no table that dynas lut build began: give another table=<file>")
    if stamps[0] != stamp:
        try:
            before, now = (dict(from_json(one.removeprefix(ORIGIN))) for one in (stamps[0], stamp))
        except (ValueError, TypeError) as error:
            raise DynasError(f"'{path}' does not say how it was begun ({error}): give another table=<file>") from error
        differing = [key for key in {**before, **now} if before.get(key) != now.get(key)]
        shown = ", ".join(f"{key}={before.get(key)} (now {now.get(key)})" for key in differing[:3])
        raise DynasError(f"'{path}' was begun with {shown}: give another table=<file>, or the same settings")
