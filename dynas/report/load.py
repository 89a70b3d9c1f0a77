"""Reading run folders back: without the search space, without torch, and without changing a file."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.confirm import CONFIRMED, averaged
from dynas.errors import DynasError
from dynas.objectives import Objective, Values, losses, violation
from dynas.pareto import non_dominated
from dynas.store import FIRST_COLUMNS, LAST_COLUMNS, RESULTS, RUN, number, read_run

FIELDS = {"status": str, "choices": dict, "seed": int, "budget": int, "objectives": list}  # of run.json


@dataclass(frozen=True, eq=False)
class Run:
    """One run, ``n`` evaluations of ``M`` objectives in the order in which they were made.

    Attributes:
        folder: where it lies.
        facts: contents of run.json.
        objectives: its ``M`` objectives.
        header: column names of results.csv.
        rows: the ``n`` rows as text, cell by cell.
        values: objective values ``(n, M)`` in their units, NaN where unmeasured.
        iterations: iteration ``(n,)`` of each evaluation, from 1.
        keys: identity of each sub-network.
        architectures: JSON text of each sub-network.
        seconds: wall time ``(n,)`` of each measurement, in seconds.
        confirmed: columns of ``values`` that hold means with further measurements, for sub-networks that have any.
        again: number ``(n,)`` of these further measurements; None where there are none at all.
        unconfirmed: the same run without them, or None.
    """

    folder: Path
    facts: Mapping[str, Any]
    objectives: tuple[Objective, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    values: Values
    iterations: NDArray[np.int64]
    keys: tuple[str, ...]
    architectures: tuple[str, ...]
    seconds: Values
    confirmed: tuple[int, ...] = ()
    again: NDArray[np.int64] | None = None
    unconfirmed: Run | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def first(self) -> Run:
        """The run as its search knew it: every sub-network measured once."""
        return self.unconfirmed or self

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Mask ``(n,)`` of evaluations that gave a value for every objective."""
        return np.asarray(np.isfinite(self.values).all(axis=1))

    @cached_property
    def losses(self) -> Values:
        """Losses ``(n, M)``, lower is better; NaN where unmeasured."""
        return losses(self.objectives, self.values)

    @cached_property
    def feasible(self) -> NDArray[np.bool_]:
        """Mask ``(n,)`` of evaluations that are measured and within all bounds."""
        beyond = violation(self.objectives, np.where(self.measured[:, None], self.values, 0.0))
        return self.measured & (beyond <= 0)

    @property
    def feasible_losses(self) -> Values:
        """Losses ``(n, M)`` with NaN rows for evaluations that failed or are beyond a bound."""
        return np.where(self.feasible[:, None], self.losses, np.nan)

    @cached_property
    def front(self) -> NDArray[np.int64]:
        """Rows of the measured front, from the best to the worst of the first objective."""
        rows = np.flatnonzero(self.feasible)
        rows = rows[non_dominated(self.losses[rows])]
        return rows[np.lexsort(self.losses[rows].T[::-1])]

    @property
    def choices(self) -> Mapping[str, str]:
        """Chosen option of each config group."""
        return {str(group): str(option) for group, option in self.facts["choices"].items()}


def load_run(folder: Path) -> Run:
    """Read one run folder; a torn last line, left by a killed search, is passed over.

    What was measured again at the end has the mean of all of its measurements; see `Run.first`.

    Raises:
        DynasError: it is no run folder, or one of its files is damaged: the message names the file and the line.
    """
    facts = read_run(folder)
    objectives = _read_objectives(folder / RUN, facts)
    path = folder / RESULTS
    try:
        lines = complete_lines(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DynasError(f"cannot read '{path}': {error}") from error
    columns = [objective.column for objective in objectives]
    header = lines[0][1] if lines else [*FIRST_COLUMNS, *columns, *LAST_COLUMNS]
    if missing := [name for name in (*FIRST_COLUMNS, *columns, *LAST_COLUMNS) if name not in header]:
        raise DynasError(f"'{path}' is not a results.csv of this run: line 1 has no column '{missing[0]}'")
    rows = [_read_row(path, line, header, cells, columns) for line, cells in lines[1:]]
    run = Run(
        folder=folder,
        facts=facts,
        objectives=objectives,
        header=tuple(header),
        rows=tuple(tuple(cells) for _, cells in lines[1:]),
        values=np.array([row.values for row in rows], dtype=float).reshape(-1, len(objectives)),
        iterations=np.array([row.iteration for row in rows], dtype=np.int64),
        keys=tuple(row.key for row in rows),
        architectures=tuple(row.architecture for row in rows),
        seconds=np.array([row.seconds for row in rows], dtype=float),
    )
    return _with_confirmations(run) if (folder / CONFIRMED).is_file() else run


def find_runs(paths: Iterable[Path]) -> list[Path]:
    """Return the run folders at and beneath the given folders, sorted within each and none twice.

    Raises:
        DynasError: a path does not exist, or there is no run of a search beneath it.
    """
    folders: dict[Path, Path] = {}
    for path in paths:
        if not path.is_dir():
            problem = "is not a folder" if path.exists() else "does not exist"
            raise DynasError(f"'{path}' {problem}: give a run folder, or a folder of runs such as outputs")
        found = sorted(file.parent for file in path.rglob(RESULTS) if (file.parent / RUN).is_file())
        if not found:
            raise DynasError(f"no run in '{path}': a run folder of dynas search holds {RUN} and {RESULTS}")
        for folder in found:
            folders.setdefault(folder.resolve(), folder)
    return list(folders.values())


def _with_confirmations(run: Run) -> Run:
    path = run.folder / CONFIRMED
    try:
        lines = complete_lines(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DynasError(f"cannot read '{path}': {error}") from error
    if len(lines) < 2:
        return run
    header = lines[0][1]
    columns = [column for column, objective in enumerate(run.objectives) if objective.column in header]
    if not columns or not {*FIRST_COLUMNS, *LAST_COLUMNS} <= {*header}:
        raise DynasError(f"'{path}' is not of this run: it measures none of its objectives again")
    names = [run.objectives[column].column for column in columns]
    again: dict[str, list[tuple[float, ...]]] = {}
    for line, cells in lines[1:]:
        row = _read_row(path, line, header, cells, names)
        again.setdefault(row.key, []).append(row.values)
    values = averaged(run.values, run.keys, columns, again)
    places = [run.header.index(name) for name in names]
    rows = [list(cells) for cells in run.rows]
    for position, key in enumerate(run.keys):
        for column, place in zip(columns, places, strict=True) if key in again else ():
            rows[position][place] = number(float(values[position, column]))
    return replace(
        run,
        values=values,
        rows=tuple(map(tuple, rows)),
        confirmed=tuple(columns),
        again=np.array([len(again.get(key, ())) for key in run.keys]),
        unconfirmed=run,
    )


@dataclass(frozen=True)
class _Row:
    values: tuple[float, ...]
    iteration: int
    key: str
    architecture: str
    seconds: float


def _read_objectives(path: Path, facts: Mapping[str, Any]) -> tuple[Objective, ...]:
    for name, kind in FIELDS.items():
        if not isinstance(facts.get(name), kind):
            raise DynasError(f"'{path}' does not describe a run of dynas search: it has no valid '{name}'")
    try:
        objectives = tuple(
            Objective(
                name=str(entry["name"]),
                direction=entry["direction"],
                unit=str(entry["unit"]),
                bound=None if entry.get("bound") is None else float(entry["bound"]),
                exact=bool(entry.get("exact", False)),
            )
            for entry in facts["objectives"]
        )
        if not objectives:
            raise ValueError("there is none")
    except KeyError as error:
        raise DynasError(f"'{path}' has an objective without {error}") from error
    except (AttributeError, TypeError, ValueError, DynasError) as error:
        raise DynasError(f"'{path}' has no valid objectives: {error}") from error
    return objectives


def complete_lines(text: str) -> list[tuple[int, list[str]]]:
    """Return the rows with their line numbers, header first, without a last row that was torn in the middle."""
    reader = csv.reader(io.StringIO(text))
    lines: list[tuple[int, list[str]]] = []
    start = 1
    for cells in reader:
        lines.append((start, cells))
        start = reader.line_num + 1
    torn = not text.endswith("\n") or text.count('"') % 2 == 1
    if lines and torn:
        last = lines[-1][1]
        only_newline_missing = len(last) == len(lines[0][1]) and text.endswith('}"')
        if not only_newline_missing:
            lines.pop()
    return lines


def _read_row(path: Path, line: int, header: Sequence[str], cells: Sequence[str], columns: Sequence[str]) -> _Row:
    try:
        if len(cells) != len(header):
            raise ValueError(f"it has {len(cells)} cells for {len(header)} columns")
        row = dict(zip(header, cells, strict=True))
        if not isinstance(json.loads(row["architecture"]), dict):
            raise ValueError("its architecture is not a JSON object")
        return _Row(
            values=tuple(float(row[name]) if row[name] else math.nan for name in columns),
            iteration=int(row["iteration"]),
            key=row["key"],
            architecture=row["architecture"],
            seconds=float(row["seconds [s]"]) if row["seconds [s]"] else math.nan,
        )
    except ValueError as error:
        raise DynasError(f"'{path}' line {line} is not a row of dynas: {error}") from error
