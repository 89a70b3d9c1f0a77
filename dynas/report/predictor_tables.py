"""Tables of a comparison of predictors, for other programs and for the screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dynas.predictors.study import Average, Trial
from dynas.report.fitted import Column, FittedTable
from dynas.report.text import or_dash
from dynas.runs.names import PREDICTORS
from dynas.system.files import number, write_csv


def write_trials(path: Path, trials: Sequence[Trial]) -> None:
    """Write one row per fit."""
    header = ["objective", "predictor", "examples", "trial", "mape [%]", "kendall_tau"]
    rows = [
        [one.objective, one.predictor, one.size, one.trial, number(one.mape), number(one.kendall_tau)]
        for one in trials
    ]  # fmt: skip
    write_csv(path, header, rows)


def write_averages(path: Path, averages: Sequence[Average]) -> None:
    """Write one row per objective, predictor and training size; a single trial has no standard error."""
    header = ["objective", "predictor", "examples", "trials"]
    header += ["mape [%]", "mape standard error [%]", "kendall_tau", "kendall_tau standard error"]
    rows = [
        [
            *(one.objective, one.predictor, one.size, one.trials),
            *map(number, (one.mape, one.mape_error, one.kendall_tau, one.kendall_tau_error)),
        ]
        for one in averages
    ]
    write_csv(path, header, rows)


def averages_table(averages: Sequence[Average], test: int) -> FittedTable:
    """Return the errors after training on most examples, per objective and predictor."""
    largest = max(one.size for one in averages)
    trials = averages[0].trials
    shown = [one for one in averages if one.size == largest]
    columns = [
        Column("objective", [one.objective for one in shown], folds=True),
        Column("predictor", [one.predictor for one in shown], folds=True),
        Column("MAPE [%]", [or_dash(one.mape, ".3f") for one in shown]),
        Column("± s.e.", [or_dash(one.mape_error, ".3f") for one in shown]),
        Column("Kendall tau", [or_dash(one.kendall_tau, ".4f") for one in shown]),
        Column("± s.e.", [or_dash(one.kendall_tau_error, ".4f") for one in shown]),
    ]
    title = f"trained on {largest} examples, tested on {test} others, mean of {trials} trial{'s' * (trials > 1)}"
    caption = f"other sizes: {PREDICTORS}" if len({one.size for one in averages}) > 1 else ""
    return FittedTable(title, columns, 2, caption)
