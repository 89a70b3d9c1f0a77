"""The rows of a run's tables, column by column, as there may be very many of them."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.errors import DynasError
from dynas.runs.lines import Line, complete_lines, table_text
from dynas.runs.store import seconds
from dynas.system.files import from_json, whole_number

Table = tuple[Values, NDArray[np.int64], tuple[str, ...], tuple[str, ...], Values]


def read_lines(path: Path) -> list[Line]:
    """Return a table's complete lines, header first; none where there is no file, or raise DynasError."""
    try:
        return complete_lines(table_text(path.read_bytes())) if path.exists() else []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DynasError(f"cannot read '{path}': {error}") from error


def read_rows(path: Path, header: Sequence[str], columns: Sequence[str], lines: Sequence[Line]) -> Table:
    """Return values ``(n, M)``, iterations, keys, architectures and seconds of rows.

    Raises:
        DynasError: one is damaged; the message names its line.
    """
    try:
        return _parse(header, columns, [cells for _, cells in lines])
    except ValueError:
        for line, cells in lines:  # slow, but only to say which one it is
            try:
                _parse(header, columns, [cells])
            except ValueError as error:
                raise DynasError(f"'{path}' line {line} is not a row of dynas: {error}") from error
        raise


def _parse(header: Sequence[str], columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    if wrong := next((cells for cells in rows if len(cells) != len(header)), None):
        raise ValueError(f"it has {len(wrong)} cells for {len(header)} columns")
    by_column: Mapping[str, tuple[str, ...]] = dict.fromkeys(header, ())
    by_column = dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else by_column
    architectures = by_column["architecture"]
    if not all(type(from_json(text)) is dict for text in architectures):
        raise ValueError("its architecture is not a JSON object")
    values = np.empty((len(rows), len(columns)))
    for column, name in enumerate(columns):
        values[:, column] = numbers(by_column[name])
    iterations = np.fromiter(map(whole_number, by_column["iteration"]), np.int64, len(rows))
    for index in by_column["index"]:
        whole_number(index)
    return (
        values,
        iterations,
        by_column["key"],
        architectures,
        np.array([*map(seconds, by_column["seconds [s]"])], float),
    )


def index_of(header: Sequence[str], line: Line) -> int:
    """Return a row's place in the order of asking, since several workers may finish in any; 0 where it has none."""
    cells = dict(zip(header, line[1], strict=False))
    try:
        return whole_number(cells.get("index", ""))
    except ValueError:  # told with its line when the row is read
        return 0


def numbers(cells: Sequence[str]) -> Values:
    """Return the numbers of a column, NaN for empty cells."""
    return np.fromiter((float(cell) if cell else math.nan for cell in cells), float, len(cells))
