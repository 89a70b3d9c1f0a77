"""What became of a run's front when its members were fine-tuned, each on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.errors import DynasError
from dynas.runs.lines import Line
from dynas.runs.load import Run, with_values
from dynas.runs.names import TUNED, TUNED_WEIGHTS
from dynas.runs.rows import numbers, read_lines, read_rows
from dynas.runs.store import FIRST_COLUMNS, LAST_COLUMNS


@dataclass(frozen=True, eq=False)
class Tuned:
    """Sub-networks before and after tuning.

    Attributes:
        run: their rows only, with the values after it; its front is the one of all of them.
        before: the values ``(n, M)`` of the same rows as searched.
        columns: which of the ``M`` objectives were measured again.
        errors: standard errors ``(n, len(columns))`` of these measurements, NaN where the metric tells none.
        failed: how many more could not be tuned.
    """

    run: Run
    before: Values
    columns: tuple[int, ...]
    errors: Values
    failed: int


def read_tuned(run: Run) -> Tuned | None:
    """Return what tuned.csv says beside a run; None where nothing was tuned.

    Raises:
        DynasError: tuned.csv is damaged, or not of this run.
    """
    path = run.folder / TUNED
    lines = read_lines(path)
    if len(lines) < 2:
        return None
    header = lines[0][1]
    columns = tuple(column for column, objective in enumerate(run.objectives) if objective.column in header)
    if not columns or not {*FIRST_COLUMNS, *LAST_COLUMNS} <= {*header}:
        raise DynasError(f"'{path}' is not of this run: it measures none of its objectives again")
    again = [run.objectives[column] for column in columns]
    values, _, keys, *_ = read_rows(path, header, [objective.column for objective in again], lines[1:])
    places = {key: row for row, key in enumerate(run.keys)}
    if strange := [key for key in keys if key not in places]:
        raise DynasError(f"'{path}' is not of this run: it has no sub-network {strange[0]}")
    errors = np.stack([_errors(path, lines, f"{one.name}_se [{one.unit}]") for one in again], axis=1)
    usable = np.flatnonzero(np.isfinite(values).all(axis=1))
    rows = np.array([places[keys[one]] for one in usable], dtype=np.int64)
    some = chosen(run, rows)
    after = some.values.copy()
    after[:, columns] = values[usable]
    return Tuned(with_values(some, after), some.values, columns, errors[usable], len(keys) - len(usable))


def _errors(path: Path, lines: Sequence[Line], name: str) -> Values:
    """Return the standard errors ``(n,)`` in the column of a name; NaN where there is none."""
    if name not in lines[0][1]:
        return np.full(len(lines) - 1, np.nan)
    try:
        return numbers([cells[lines[0][1].index(name)] for _, cells in lines[1:]])
    except ValueError as error:
        raise DynasError(f"'{path}' has a standard error that is none: {error}") from error


def weights_file(run: Path, index: int | str) -> Path:
    """Return the file in a run folder that keeps the tuned weights of a row, by its index in results.csv."""
    return run / TUNED_WEIGHTS.replace("<N>", str(index))


def chosen(run: Run, rows: NDArray[np.int64]) -> Run:
    """Return a run that holds some of its rows only."""
    return replace(
        run,
        rows=tuple(run.rows[row] for row in rows),
        values=run.values[rows],
        iterations=run.iterations[rows],
        keys=tuple(run.keys[row] for row in rows),
        architectures=tuple(run.architectures[row] for row in rows),
        seconds=run.seconds[rows],
        again=None if run.again is None else run.again[rows],
        unconfirmed=None,
        beyond=None if run.beyond is None else run.beyond[rows],
    )
