"""The rows of a run folder as the evaluations that they were written from."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence

import numpy as np

from dynas.core.evaluation import Evaluation, Measurement
from dynas.core.objectives import Objective
from dynas.core.space import SearchSpace
from dynas.errors import DynasError
from dynas.runs.lines import complete_lines, table_text
from dynas.runs.load import Run
from dynas.runs.names import CONFIRMED, RESULTS
from dynas.runs.store import FIRST_COLUMNS, LAST_COLUMNS, read_extra, seconds
from dynas.system.files import from_json, whole_number


def read_evaluations(run: Run, space: SearchSpace) -> tuple[Evaluation, ...]:
    """Return the evaluations of a run, in the order of asking; raise DynasError where one is not of the space."""
    rows = [dict(zip(run.header, cells, strict=True)) for cells in run.rows]
    return tuple(_evaluation(run, RESULTS, row, run.objectives, space) for row in rows)


def read_confirmations(run: Run, space: SearchSpace) -> tuple[tuple[Objective, ...], tuple[Evaluation, ...]]:
    """Return the objectives that a run measured again, and these measurements; nothing where it did not.

    Raises:
        DynasError: confirmed.csv is damaged.
    """
    path = run.folder / CONFIRMED
    if not path.is_file():
        return (), ()
    try:
        lines = complete_lines(table_text(path.read_bytes()))
        header = lines[0][1] if lines else []
        rows = [dict(zip(header, cells, strict=True)) for _, cells in lines[1:]]
    except (OSError, ValueError, csv.Error) as error:
        raise DynasError(f"cannot read '{path}': {error}") from error
    noisy = tuple(one for one in run.objectives if one.column in header)
    return (noisy, tuple(_evaluation(run, CONFIRMED, row, noisy, space) for row in rows)) if rows else ((), ())


def _evaluation(
    run: Run, file: str, row: Mapping[str, str], objectives: Sequence[Objective], space: SearchSpace
) -> Evaluation:
    known = {*FIRST_COLUMNS, *LAST_COLUMNS, *(one.column for one in objectives)}
    try:
        values = tuple(float(row[one.column] or math.nan) for one in objectives)
        extras = {name: read_extra(name, cell) for name, cell in row.items() if name not in known and cell}
        measurement = Measurement(values, extras, seconds(row["seconds [s]"]), row["error"])
        genotype = np.asarray(space.encode(from_json(row["architecture"])))
        places = whole_number(row["index"]), whole_number(row["iteration"])
        return Evaluation(*places, row["key"], genotype, measurement, row["timestamp"])
    except (KeyError, ValueError, DynasError) as error:
        raise DynasError(f"'{run.folder / file}' has a row that is none of this run: {error}") from error
