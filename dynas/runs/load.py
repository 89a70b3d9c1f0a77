"""Reading run folders back: without the search space, without torch, and without changing a file."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Objective, Values, losses, violation
from dynas.core.pareto import non_dominated
from dynas.core.space import Architecture
from dynas.errors import DynasError
from dynas.runs.confirmed import averaged
from dynas.runs.gates import present
from dynas.runs.lines import repeated
from dynas.runs.names import CONFIRMED, RESULTS, RUN
from dynas.runs.problem import read_constraints
from dynas.runs.record import read_run
from dynas.runs.rows import index_of, numbers, read_lines, read_rows
from dynas.runs.store import FIRST_COLUMNS, LAST_COLUMNS
from dynas.system.files import from_json, number

REQUIRED = ("status", "choices", "seed", "budget", "objectives")  # of run.json


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
        constraints: bounded quantities that are not optimised.
        beyond: how far ``(n,)`` evaluations are beyond these, relative to the bounds; None where there are none.
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
    constraints: tuple[Objective, ...] = ()
    beyond: Values | None = None

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
        return self.measured & (beyond + (0.0 if self.beyond is None else self.beyond) <= 0)

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
    def original(self) -> int | None:
        """Row of the network that all others are made from; None where the run has measured none."""
        key = self.facts.get("original")
        return self.keys.index(key) if key in self.keys and self.measured[self.keys.index(key)] else None

    @property
    def qualities(self) -> Mapping[str, int]:
        """Number of latencies that were measured of each quality other than ``ok``."""
        if "latency_quality" not in self.header:
            return {}
        column = self.header.index("latency_quality")
        return Counter(row[column] for row in self.rows if row[column] not in ("", "ok"))

    @property
    def drift(self) -> float:
        """Median of how much longer the reference took than at first, in percent; 0 where nothing tells."""
        if "latency_drift [%]" not in self.header:
            return 0.0
        column = self.header.index("latency_drift [%]")
        return float(np.median([float(row[column]) for row in self.rows if row[column]] or [0.0]))

    def architecture(self, row: int) -> Architecture:
        """Return the architecture of a row as people read it: without what is switched off, where the run tells."""
        return present(from_json(self.architectures[row]), self.facts.get("gates") or {})

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
    objectives = read_objectives(folder / RUN, facts)
    path = folder / RESULTS
    lines = read_lines(path)  # killed before its first row, a run has no table yet
    columns = [objective.column for objective in objectives]
    header = lines[0][1] if lines else [*FIRST_COLUMNS, *columns, *LAST_COLUMNS]
    if missing := [name for name in (*FIRST_COLUMNS, *columns, *LAST_COLUMNS) if name not in header]:
        raise DynasError(f"'{path}' is not a results.csv of this run: line 1 has no column '{missing[0]}'")
    lines = [lines[0], *sorted(lines[1:], key=partial(index_of, header))] if lines else []
    table = read_rows(path, header, columns, lines[1:])
    index, key = header.index("index"), header.index("key")
    if twice := repeated((line, cells[index], cells[key]) for line, cells in sorted(lines[1:])):
        raise DynasError(f"'{path}' line {twice[0]} is not a row of dynas: {twice[1]}; remove one of them")
    run = Run(folder, facts, objectives, tuple(header), tuple(cells for _, cells in lines[1:]), *table)
    if constraints := read_constraints(facts, folder / RUN):
        run = replace(run, constraints=constraints, beyond=_beyond(path, run, constraints))
    return _with_confirmations(run) if (folder / CONFIRMED).is_file() else run


def _beyond(path: Path, run: Run, constraints: Sequence[Objective]) -> Values:
    """Return how far ``(n,)`` evaluations are beyond constraints; infinite where a cell is empty."""
    try:
        columns = [run.header.index(constraint.column) for constraint in constraints]
        values = np.stack([numbers([row[column] for row in run.rows]) for column in columns], axis=1)
    except ValueError as error:
        raise DynasError(f"'{path}' does not tell its constraints: {error}") from error
    beyond = violation(constraints, np.nan_to_num(values))
    return np.where(np.isfinite(values).all(axis=1), beyond, np.inf)


def find_runs(paths: Iterable[Path]) -> list[Path]:
    """Return the run folders at and beneath the given folders, sorted within each and none twice.

    Args:
        paths: folders, or patterns of folders such as ``outputs/sweep_*`` that no shell has expanded.

    Raises:
        DynasError: a path does not exist, nothing matches a pattern, or there is no run of a search beneath it.
    """
    folders: dict[Path, Path] = {}
    for path in paths:
        found = sorted(folder for start in _expand(path) for folder in _runs_beneath(start))
        if not found:
            raise DynasError(f"no run in '{path}': a run folder of dynas search holds {RUN} and {RESULTS}")
        for folder in found:
            folders.setdefault(folder.resolve(), folder)
    return list(folders.values())


def _expand(path: Path) -> list[Path]:
    """Return the folder itself, or the folders that match it as a pattern."""
    if path.is_dir():
        return [path]
    if path.exists():
        raise DynasError(f"'{path}' is not a folder: give a run folder, or a folder of runs such as outputs")
    if not glob.has_magic(str(path)):
        raise DynasError(f"'{path}' does not exist: give a run folder, or a folder of runs such as outputs")
    folders = [Path(match) for match in sorted(glob.glob(str(path), recursive=True)) if Path(match).is_dir()]
    if not folders:
        raise DynasError(f"no folder matches '{path}': give a run folder, or a folder of runs such as outputs")
    return folders


def _runs_beneath(folder: Path) -> list[Path]:
    return [file.parent for file in folder.rglob(RESULTS) if (file.parent / RUN).is_file()]


def with_values(run: Run, values: Values) -> Run:
    """Return a run with other values ``(n, M)``, in its rows too where they differ."""
    rows = [list(cells) for cells in run.rows]
    for row, column in np.argwhere(~np.isclose(run.values, values, rtol=0, atol=0, equal_nan=True)):
        rows[row][run.header.index(run.objectives[column].column)] = number(float(values[row, column]))
    return replace(run, values=values, rows=tuple(map(tuple, rows)))


def _with_confirmations(run: Run) -> Run:
    path = run.folder / CONFIRMED
    lines = read_lines(path)
    if len(lines) < 2:
        return run
    header = lines[0][1]
    columns = [column for column, objective in enumerate(run.objectives) if objective.column in header]
    if not columns or not {*FIRST_COLUMNS, *LAST_COLUMNS} <= {*header}:
        raise DynasError(f"'{path}' is not of this run: it measures none of its objectives again")
    names = [run.objectives[column].column for column in columns]
    measured, _, keys, *_ = read_rows(path, header, names, lines[1:])
    again: dict[str, list[list[float]]] = {}
    for key, row in zip(keys, measured, strict=True):
        again.setdefault(key, []).append(row.tolist())
    values = averaged(run.values, run.keys, columns, again)
    return replace(
        with_values(run, values),
        confirmed=tuple(columns),
        again=np.array([len(again.get(key, ())) for key in run.keys]),
        unconfirmed=run,
    )


def read_objectives(path: Path, facts: Mapping[str, Any]) -> tuple[Objective, ...]:
    """Return the objectives that a run.json tells of.

    Raises:
        DynasError: it tells none, or none that make sense; the message names ``path``.
    """
    if missing := [name for name in REQUIRED if name not in facts]:
        raise DynasError(f"'{path}' does not describe a run of dynas search: it has no '{missing[0]}'")
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
    except (AttributeError, OverflowError, TypeError, ValueError, DynasError) as error:
        raise DynasError(f"'{path}' has no valid objectives: {error}") from error
    return objectives
