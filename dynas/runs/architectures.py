"""Architectures that a user names: by a word, written out, in a JSON file, or as rows of earlier measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Objective
from dynas.core.space import SearchSpace
from dynas.errors import DynasError
from dynas.runs.examples import Row, check_columns, read_genotype, read_number, read_table
from dynas.runs.load import load_run
from dynas.runs.names import RESULTS
from dynas.system.files import from_json

ENDS = ("smallest", "largest")
WAYS = (
    "give smallest, largest, a mapping of the design variables, a JSON file, a run folder, a CSV file of "
    "measurements, or a list of these"
)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One architecture that was named.

    Attributes:
        genotype: its canonical genotype ``(G,)``.
        name: how it was named, such as ``largest`` or ``row 17``.
        source: the run folder or CSV file that it stands in, or None.
        earlier: by objective, its value there; NaN where the cell is empty.
    """

    genotype: NDArray[np.int64]
    name: str
    source: Path | None = None
    earlier: Mapping[str, float] = field(default_factory=dict)


def read_architectures(
    given: object, rows: object, space: SearchSpace, objectives: Sequence[Objective]
) -> list[Candidate]:
    """Return what the user named, in order; the same sub-network may come several times.

    Args:
        given: ``smallest``, ``largest``, a mapping, the path of a JSON file, a run folder or a CSV file, or a list
            of these; JSON itself is understood too.
        rows: indices of rows of every run folder and CSV file, ``all``, or None: a folder's front, all of a file.
        space: the space that they must belong to.
        objectives: whose earlier values are read.

    Raises:
        DynasError: nothing is named, a file cannot be read, a row does not exist, or an architecture is not of this
            space; the message names it.
    """
    items = list(given) if isinstance(given, list) else [given]
    if not items or items == [None]:
        raise DynasError(f"no architectures named: {WAYS}, as architectures=...")
    rows = [rows] if type(rows) is int else rows
    _check_rows(rows)
    candidates: list[Candidate] = []
    for item in items:
        if isinstance(item, str) and _is_table(item):
            candidates += _from_table(Path(item).expanduser(), rows, space, objectives)
        else:
            candidates += _written_out(item, space)
    if rows is not None and all(candidate.source is None for candidate in candidates):
        raise DynasError(f"rows={rows} chooses from a run folder or a CSV file: name one as architectures=...")
    return candidates


def _check_rows(rows: object) -> None:
    numbers = rows if isinstance(rows, list) else [None]
    if rows not in (None, "all") and not (numbers and all(type(number) is int for number in numbers)):
        raise DynasError(f"rows={rows}: give indices of rows such as rows=[3,17], or rows=all")


def _is_table(item: str) -> bool:
    if item.lstrip().startswith(("{", "[")):
        return False
    return item.endswith(".csv") or Path(item).expanduser().is_dir()


def _written_out(item: object, space: SearchSpace) -> list[Candidate]:
    """Return the candidates of a word, a mapping, a JSON text or a JSON file."""
    if isinstance(item, Mapping):
        return [_encode(item, "given", space)]
    if not isinstance(item, str):
        raise DynasError(f"architectures={item} names none: {WAYS}")
    if item in ENDS:
        return [Candidate(getattr(space, item)(), item)]
    is_text = item.lstrip().startswith(("{", "["))
    name, text = ("given", item) if is_text else (item, _read(Path(item).expanduser()))
    try:
        content = from_json(text)
    except ValueError as error:
        raise DynasError(f"'{item}' is not JSON: {error}") from error
    if content == []:
        raise DynasError(f"'{item}' is an empty list: expected one architecture or a list of them")
    if not isinstance(content, list):
        return [_encode(content, name, space)]
    return [_encode(one, f"{name} #{number}", space) for number, one in enumerate(content, start=1)]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DynasError(f"architectures={path}: there is no such file; {WAYS}") from error
    except (OSError, ValueError) as error:  # such as a path with signs that no path has
        raise DynasError(f"cannot read '{path}': {error}") from error


def _encode(architecture: object, name: str, space: SearchSpace) -> Candidate:
    try:
        return Candidate(space.encode(architecture), name)  # type: ignore[arg-type]
    except DynasError as error:
        raise DynasError(f"the architecture '{name}' is no sub-network of this space: {error}") from error


def _from_table(path: Path, rows: object, space: SearchSpace, objectives: Sequence[Objective]) -> list[Candidate]:
    """Return the chosen rows of a run folder or a CSV file."""
    file = path / RESULTS if path.is_dir() else path
    header: Sequence[str]
    lines: Iterable[Row]
    if path.is_dir():
        run = load_run(path)
        header = run.header
        lines = [(line, dict(zip(header, cells, strict=True))) for line, cells in enumerate(run.rows, start=2)]
        if rows is None:
            rows = [int(run.rows[row][run.header.index("index")]) for row in run.front]
            if not rows:
                raise DynasError(f"'{path}' has no front, nothing within the bounds was measured: choose by rows=[...]")
    else:
        header, lines = read_table(file)
    check_columns(file, header, space)
    by_index: dict[str, Row] = {row.get("index", str(n)): (line, row) for n, (line, row) in enumerate(lines, start=1)}
    if not by_index:
        raise DynasError(f"'{file}' has no rows yet")
    wanted = [str(row) for row in rows] if isinstance(rows, list) else list(by_index)
    if unknown := [index for index in wanted if index not in by_index]:
        known = list(by_index)
        raise DynasError(f"'{file}' has no row {unknown[0]}: give indices from {known[0]} to {known[-1]}")
    columns = _objective_columns(header, objectives)
    candidates = []
    for index in wanted:
        line, row = by_index[index]
        earlier = {name: read_number(file, line, column, row[column]) for name, column in columns.items()}
        candidates.append(Candidate(read_genotype(file, line, row, space), f"row {index}", path, earlier))
    return candidates


def _objective_columns(header: Sequence[str], objectives: Sequence[Objective]) -> dict[str, str]:
    """Return the column of each objective that the table has, in the same unit or without one."""
    names = {objective.name: (objective.column, objective.name) for objective in objectives}
    found = {name: next((column for column in both if column in header), None) for name, both in names.items()}
    return {name: column for name, column in found.items() if column is not None}
