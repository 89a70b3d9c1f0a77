"""Reading run folders back, without the search space, torch or Hydra."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.errors import DynasError
from dynas.objectives import Objective, Values, losses, violation
from dynas.pareto import non_dominated
from dynas.store import RESULTS, RUN, read_run


@dataclass(frozen=True)
class Run:
    """The results of one run, ``n`` rows.

    Attributes:
        folder: where it lies.
        facts: contents of run.json.
        objectives: its ``M`` objectives.
        header: column names of results.csv.
        rows: all cells, as text.
        values: objective values ``(n, M)``, NaN where unmeasured.
    """

    folder: Path
    facts: Mapping[str, Any]
    objectives: tuple[Objective, ...]
    header: list[str]
    rows: list[list[str]]
    values: Values

    def column(self, name: str) -> list[str]:
        """Return the cells of one column."""
        index = self.header.index(name)
        return [row[index] for row in self.rows]

    @property
    def architectures(self) -> list[dict[str, Any]]:
        """The architecture of every row."""
        return [json.loads(cell) for cell in self.column("architecture")]

    @property
    def losses(self) -> Values:
        """Losses ``(n, M)``; NaN for rows that failed or are beyond a bound."""
        table = losses(self.objectives, self.values)
        beyond = violation(self.objectives, np.nan_to_num(self.values)) > 0
        table[beyond | ~np.isfinite(table).all(axis=1)] = np.nan
        return table

    @property
    def front(self) -> NDArray[np.int64]:
        """Rows of the measured front, ordered by the last objective."""
        table = self.losses
        usable = np.flatnonzero(np.isfinite(table).all(axis=1))
        members = usable[non_dominated(table[usable])]
        return members[np.argsort(table[members, -1], kind="stable")]

    @property
    def choices(self) -> dict[str, str]:
        """Chosen option of every config group, and the budget."""
        return {**self.facts.get("choices", {}), "budget": str(self.facts.get("budget"))}


def load_run(folder: Path) -> Run:
    """Read the results of one run; a torn last line is left out.

    Raises:
        DynasError: the folder is no run folder, or its files are damaged.
    """
    facts = read_run(folder)
    try:
        objectives = tuple(Objective(**entry) for entry in facts["objectives"])
    except (KeyError, TypeError) as error:
        raise DynasError(f"'{folder / RUN}' does not describe the objectives of a search") from error
    path = folder / RESULTS
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DynasError(f"cannot read '{path}': {error}") from error
    header, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    columns = [objective.column for objective in objectives]
    if missing := [name for name in (*columns, "key", "iteration", "architecture") if name not in header]:
        raise DynasError(f"'{path}' is not a results.csv of dynas: it has no column '{missing[0]}'")
    if rows and not text.endswith("\n"):
        rows.pop()
    try:
        cells = [[row[header.index(name)] for name in columns] for row in rows]
        values = np.array([[float(cell) if cell else math.nan for cell in row] for row in cells], dtype=float)
    except (ValueError, IndexError) as error:
        raise DynasError(f"'{path}' holds a row that is no row of dynas: {error}") from error
    return Run(folder, facts, objectives, header, rows, values.reshape(len(rows), len(objectives)))


def find_runs(paths: Iterable[Path]) -> list[Run]:
    """Return all runs in and beneath the given folders, in the order of their names.

    Raises:
        DynasError: a path does not exist, or holds no search.
    """
    folders: list[Path] = []
    for path in paths:
        if not path.exists():
            raise DynasError(f"no such folder '{path}': give run folders, sweeps or the whole outputs folder")
        found = sorted(candidate.parent for candidate in path.rglob(RESULTS) if (candidate.parent / RUN).exists())
        if not found:
            raise DynasError(f"'{path}' holds no run of dynas search: no folder in it has {RESULTS} and {RUN}")
        folders += [folder for folder in found if folder not in folders]
    return [load_run(folder) for folder in folders]
