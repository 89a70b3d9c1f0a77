"""results.csv, written row by row.

results.csv is the source of truth. A row is flushed to disk the moment it is known; a torn last line is cut off
when the file is opened again; everything else in the folder can be derived from it.
"""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import numpy as np

from dynas.core.evaluation import Evaluation, Measurement
from dynas.core.objectives import Objective
from dynas.core.space import SearchSpace
from dynas.errors import DynasError
from dynas.runs.lines import complete_lines, complete_text, repeated, table_text
from dynas.runs.names import RESULTS
from dynas.system.files import (
    csv_line,
    from_json,
    number,
    open_appending,
    plain_value,
    whole_number,
    write_atomic,
)

FIRST_COLUMNS = ("index", "iteration", "key")
UNKNOWN = np.empty(0, dtype=np.int64)
LAST_COLUMNS = ("seconds [s]", "timestamp", "error", "architecture")


def write_extra(value: float | str) -> str:
    """Return the text of a further column's value."""
    return value if isinstance(value, str) else number(value)


def read_extra(name: str, text: str) -> float | str:
    """Return the value of a further column from its text: a number where the column has a unit, else a word."""
    return float(text) if name.endswith("]") else text


def seconds(text: str) -> float:
    """Return a duration in seconds from its text; raise ValueError where it is none."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError(f"'{text}' is no duration")
    return value


class RunStore:
    """The evaluations of one run on disk (see `dynas.core.evaluation.Store`).

    Args:
        folder: the run folder; made where it is missing.
        space: the search space, to check and encode architectures.
        objectives: the objectives, in column order.
        extras: further columns that the metrics fill, with units.
        file: name of the file; a sub-network may come several times in one.
        kept: is told of every new row once it is on disk.

    Attributes:
        history: all rows, in order.

    Raises:
        DynasError: the folder cannot be written, or its results.csv is not one of this run.
    """

    def __init__(
        self,
        folder: Path,
        space: SearchSpace,
        objectives: Sequence[Objective],
        extras: Sequence[str] = (),
        file: str = RESULTS,
        kept: Callable[[Evaluation], None] = lambda evaluation: None,
    ) -> None:
        self.folder = folder
        self._kept = kept
        self._space = space
        self._values = [objective.column for objective in objectives]
        self._extras = list(extras)
        self.columns = [*FIRST_COLUMNS, *self._values, *self._extras, *LAST_COLUMNS]
        self.history: list[Evaluation] = []
        self._rows: dict[str, Evaluation] = {}
        self._path = folder / file
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self._path.exists():
                self._load()
            self._file = open_appending(self._path)
            if self._file.tell() == 0:
                self._write(self.columns)
        except OSError as error:
            raise DynasError(f"cannot write results to '{folder}': {error.strerror}") from error

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, key: str) -> Evaluation | None:
        """Return the stored evaluation of a sub-network, or None."""
        return self._rows.get(key)

    def append(self, evaluation: Evaluation) -> None:
        """Write one row and wait until it is on disk.

        Raises:
            DynasError: the disk refuses, for instance because it is full.
        """
        measurement = evaluation.measurement
        architecture = json.dumps(self._space.decode(evaluation.genotype), separators=(",", ":"), default=plain_value)
        try:
            self._write(
                [
                    evaluation.index,
                    evaluation.iteration,
                    evaluation.key,
                    *map(number, measurement.values),
                    *(write_extra(measurement.extras.get(name, "")) for name in self._extras),
                    number(round(measurement.seconds, 4)),
                    evaluation.timestamp,
                    " ".join(measurement.error.split()),
                    architecture,
                ]
            )
        except OSError as error:
            raise DynasError(f"cannot write to '{self._path}': {error.strerror}; the rows before are safe") from error
        self._remember(evaluation)
        self._kept(evaluation)

    def close(self) -> None:
        """Close results.csv."""
        with contextlib.suppress(OSError):  # every row that counts is on disk already
            self._file.close()

    def _remember(self, evaluation: Evaluation) -> None:
        self.history.append(evaluation)
        self._rows[evaluation.key] = evaluation

    def _write(self, cells: Sequence[object]) -> None:
        self._file.write(csv_line(cells))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _load(self) -> None:
        try:
            text = table_text(self._path.read_bytes())
            lines = complete_lines(text)
        except (UnicodeDecodeError, csv.Error) as error:
            raise DynasError(f"'{self._path}' is not a {RESULTS} of dynas: {error}") from error
        # empty, or torn while the header was written
        torn = not lines and csv_line(self.columns).startswith(text)
        header = self.columns if torn else list(lines[0][1]) if lines else [text]
        if header != self.columns:
            raise DynasError(
                f"'{self._path}' is not a {RESULTS} of this run: its columns are {', '.join(header)[:200]} "
                f"instead of {', '.join(self.columns)}"
            )
        rows = [self._parse(cells, line) for line, cells in lines[1:]]
        options = np.array([options for options, _ in rows], dtype=np.int64).reshape(-1, self._space.n_genes)
        genotypes = self._space.canonical(options)
        found: list[Evaluation] = []
        for (line, _), genotype, key, (_, row) in zip(
            lines[1:], genotypes, self._space.keys(genotypes), rows, strict=True
        ):
            if key != row.key:
                raise self._wrong(line, "its key does not belong to its architecture")
            found.append(replace(row, genotype=genotype))
        if self._path.name == RESULTS:
            places = [(line, str(one.index), one.key) for (line, _), one in zip(lines[1:], found, strict=True)]
            if twice := repeated(places):
                raise self._wrong(*twice)
        for evaluation in sorted(found, key=attrgetter("index")):  # several workers may have finished in any order
            self._remember(evaluation)
        if (whole := complete_text(text)) != text:
            write_atomic(self._path, whole)

    def _parse(self, cells: Sequence[str], line: int) -> tuple[list[int], Evaluation]:
        """Return the options of a row's genes, and the row without its genotype, which all rows get at once."""
        if len(cells) != len(self.columns):
            raise self._wrong(line, f"it has {len(cells)} cells for {len(self.columns)} columns")
        try:
            row = dict(zip(self.columns, cells, strict=True))
            options = self._space.options(from_json(row["architecture"]))
            values = tuple(float(row[name] or math.nan) for name in self._values)
            extras = {name: read_extra(name, row[name]) for name in self._extras if row[name]}
            measurement = Measurement(values, extras, seconds(row["seconds [s]"]), " ".join(row["error"].split()))
            places = whole_number(row["index"]), whole_number(row["iteration"])
            return options, Evaluation(*places, row["key"], UNKNOWN, measurement, row["timestamp"])
        except (ValueError, DynasError) as error:
            raise self._wrong(line, error) from error

    def _wrong(self, line: int, why: object) -> DynasError:
        return DynasError(f"'{self._path}' line {line} is not a row of dynas: {why}; mend or remove that line")
