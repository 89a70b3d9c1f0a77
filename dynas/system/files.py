"""Files that are replaced as a whole, the numbers in them, and JSON that is read strictly."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def write_atomic(path: Path, text: str) -> None:
    """Replace a file as a whole, so that a reader or a crash never sees half of it."""
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a crash of the machine could leave the new name without the new content
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


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
