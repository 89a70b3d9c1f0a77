"""predictors.csv: how good the predictors of a search were, iteration by iteration."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from dynas.core.callback import Quality
from dynas.core.evaluation import PredictorQuality
from dynas.errors import DynasError
from dynas.runs.names import PREDICTORS
from dynas.system.files import number, write_csv

HEADER = ["iteration", "objective", "examples", "mape [%]", "kendall_tau"]


def write_qualities(folder: Path, qualities: Sequence[Quality]) -> None:
    """Write predictors.csv, where any were trained."""
    rows = [
        [iteration, one.objective, one.examples, number(one.mape), number(one.kendall_tau)]
        for iteration, one in qualities
    ]
    if rows:
        write_csv(folder / PREDICTORS, HEADER, rows)


def read_qualities(folder: Path) -> list[Quality]:
    """Return the errors that a run folder holds; none where nothing was predicted.

    Raises:
        DynasError: predictors.csv is damaged.
    """
    path = folder / PREDICTORS
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [_read(row) for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise DynasError(f"'{path}' is not a predictors.csv of dynas: {error}") from error


def _read(row: Mapping[str, str]) -> Quality:
    errors = (float(row[name] or math.nan) for name in HEADER[3:])
    return int(row["iteration"]), PredictorQuality(row["objective"], int(float(row["examples"])), *errors)
