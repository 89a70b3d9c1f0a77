"""Earlier measurements as examples: from a run folder, a results.csv, or a table that somebody else made.

A file may be compressed; a folder with a compressed results.csv.xz is one of ``data=tabulated``.

A table has one row per measured sub-network. The sub-network stands in a column ``architecture`` as JSON, or in one
column per design variable (a JSON list, or a plain value for a variable of one gene); the measurements stand in one
column per objective, called ``name [unit]`` or just ``name``. Other columns are passed over.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.core.design import DesignVariable
from dynas.core.objectives import Objective, Values
from dynas.core.space import Architecture, Genotypes, SearchSpace
from dynas.errors import DynasError
from dynas.runs.lines import Line, complete_lines, table_text
from dynas.runs.names import RESULTS
from dynas.runs.studies import is_study
from dynas.runs.study_reading import read_study
from dynas.system.compressed import SUFFIXES, read_bytes
from dynas.system.files import from_json

ARCHITECTURE = "architecture"
Row = tuple[int, dict[str, str]]  # line number, cells by column


def read_examples(
    path: str | Path | Sequence[str | Path], space: SearchSpace, objectives: Sequence[Objective]
) -> tuple[Genotypes, Values]:
    """Read the sub-networks that have a value for every objective.

    Repeated measurements of a sub-network, in one file or several, become one example with their mean.

    Args:
        path: a run folder, the folder of a table, a results.csv or another CSV file, an Optuna study (see
            `dynas.runs.studies`), or several.
        space: the space that the sub-networks belong to.
        objectives: the ``M`` objectives to read.

    Returns:
        canonical genotypes ``(n, G)``, all distinct, in the order of the file, and their values ``(n, M)`` in the
        objectives' units.

    Raises:
        DynasError: a file cannot be read, lacks a column, or has a row that is no sub-network of the space or no
            number; the message names file, line and what was expected. Or there is no complete row at all.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    genotypes: list[NDArray[np.int64]] = []
    values: list[list[float]] = []
    for given in paths:
        if is_study(given):
            rows_of_study, values_of_study = read_study(str(given), space, objectives)
            genotypes += list(rows_of_study)
            values += values_of_study.tolist()
            continue
        one = Path(given)
        file = results_of(one) if one.is_dir() else one
        header, rows = read_table(file)
        columns = [_objective_column(file, header, objective) for objective in objectives]
        check_columns(file, header, space)
        for line, row in rows:
            numbers = [read_number(file, line, name, row[name]) for name in columns]
            if all(map(math.isfinite, numbers)):
                genotypes.append(read_genotype(file, line, row, space))
                values.append(numbers)
    if not values:
        named = ", ".join(objective.name for objective in objectives)
        raise DynasError(f"no row of {', '.join(repr(str(one)) for one in paths)} has a value for all of {named}")
    return mean_of_repeats(np.array(genotypes), np.array(values))


def results_of(folder: Path) -> Path:
    """Return the file of measurements in a folder, the compressed one where there is no other."""
    packed = folder / f"{RESULTS}.xz"
    return packed if packed.is_file() and not (folder / RESULTS).is_file() else folder / RESULTS


def mean_of_repeats(genotypes: Genotypes, values: Values) -> tuple[Genotypes, Values]:
    """Return the distinct rows of genotypes ``(n, G)``, in order, and the mean of each one's values ``(n, M)``."""
    first: dict[bytes, int] = {}
    owner = np.array([first.setdefault(row.tobytes(), len(first)) for row in genotypes])
    sums = np.zeros((len(first), values.shape[1]))
    np.add.at(sums, owner, values)
    _, starts = np.unique(owner, return_index=True)
    return genotypes[starts], sums / np.bincount(owner)[:, None]


def read_table(file: Path) -> tuple[Sequence[str], Iterator[Row]]:
    """Return the column names and the rows; a last row of results.csv that a killed run left torn is passed over."""
    try:
        content = read_bytes(file) if file.suffix in SUFFIXES else file.read_bytes()
        whole = file.name == RESULTS or content.endswith(b"\n")  # other tables are not torn, whatever their last line
        lines = complete_lines(table_text(content if whole else content + b"\n"))
    except FileNotFoundError as error:
        raise DynasError(
            f"'{file}' does not exist: give a run folder, a {RESULTS} or another CSV file of measurements"
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DynasError(f"cannot read '{file}' as a CSV file: {error}") from error
    if not lines or not lines[0][1]:
        raise DynasError(f"'{file}' is empty: expected a line of column names and a row per sub-network")
    return lines[0][1], _rows(file, lines)


def _rows(file: Path, lines: Sequence[Line]) -> Iterator[Row]:
    header = lines[0][1]
    for line, cells in lines[1:]:
        if not cells:
            continue  # an empty line
        if len(cells) != len(header):
            raise DynasError(f"'{file}' line {line} has {len(cells)} cells, expected one per column: {len(header)}")
        yield line, dict(zip(header, cells, strict=True))


def _objective_column(file: Path, header: Sequence[str], objective: Objective) -> str:
    for name in (objective.column, objective.name):
        if name in header:
            return name
    raise DynasError(
        f"'{file}' line 1 has no column '{objective.column}' or '{objective.name}': it has {', '.join(header)}"
    )


def check_columns(file: Path, header: Sequence[str], space: SearchSpace) -> None:
    """Raise DynasError where a table's columns do not tell architectures of this space."""
    missing = [variable.name for variable in space.variables if variable.name not in header]
    if ARCHITECTURE not in header and missing:
        raise DynasError(
            f"'{file}' line 1 has neither a column '{ARCHITECTURE}' nor one per design variable: "
            f"'{missing[0]}' is missing"
        )


def read_number(file: Path, line: int, name: str, cell: str) -> float:
    """Return a cell's number, NaN for an empty one; raise DynasError, naming file and line, for anything else."""
    try:
        return float(cell) if cell.strip() else math.nan
    except ValueError as error:
        raise DynasError(f"'{file}' line {line} has '{cell}' as {name}: expected a number, or nothing") from error


def read_genotype(file: Path, line: int, row: Mapping[str, str], space: SearchSpace) -> NDArray[np.int64]:
    """Return the canonical genotype ``(G,)`` of a row; raise DynasError, naming file and line, where it has none."""
    try:
        if ARCHITECTURE in row:
            architecture: Architecture = from_json(row[ARCHITECTURE])
        else:
            architecture = {variable.name: _option(variable, row[variable.name]) for variable in space.variables}
        return space.encode(architecture)
    except ValueError as error:
        raise DynasError(f"'{file}' line {line} has no JSON as its {ARCHITECTURE}: {error}") from error
    except DynasError as error:
        raise DynasError(f"'{file}' line {line} is no sub-network of this space: {error}") from error


def _option(variable: DesignVariable, cell: str) -> Any:
    """Return what a cell says: JSON, or plain text where that is an option or no JSON."""
    if cell in variable.choices:
        return cell
    try:
        return from_json(cell)
    except ValueError:
        return cell
