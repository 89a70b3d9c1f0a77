"""Tables of a comparison of predictors, for other programs and for the screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.markup import escape
from rich.table import Table

from dynas.predictors.study import Average, Trial
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


def averages_table(averages: Sequence[Average], test: int) -> Table:
    """Return the errors after training on most examples, per objective and predictor."""
    largest = max(one.size for one in averages)
    trials = averages[0].trials
    table = Table(
        title=f"trained on {largest} examples, tested on {test} others, mean of {trials} trial{'s' * (trials > 1)}",
        title_justify="left", title_style="bold", caption_justify="left", box=box.SIMPLE_HEAD, show_edge=False,
    )  # fmt: skip
    for name in ("objective", "predictor"):
        table.add_column(name, no_wrap=True)
    for name in ("MAPE [%]", "± s.e.", "Kendall tau", "± s.e."):
        table.add_column(escape(name), justify="right", no_wrap=True)
    for one in averages:
        if one.size == largest:
            mape = [or_dash(value, ".3f") for value in (one.mape, one.mape_error)]
            cells = [*mape, *(or_dash(value, ".4f") for value in (one.kendall_tau, one.kendall_tau_error))]
            table.add_row(escape(one.objective), escape(one.predictor), *cells)
    if len({one.size for one in averages}) > 1:
        table.caption = f"other sizes: {PREDICTORS}"
    return table
