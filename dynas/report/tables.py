"""Tables for the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from dynas.report.load import Run

MOST_ROWS = 20


def front_table(run: Run) -> Table:
    """Return the measured front: objectives and a short form of each architecture."""
    members = run.front
    shown = members if len(members) <= MOST_ROWS else members[:: -(-len(members) // MOST_ROWS)]
    title = f"measured front: {len(members)} of {len(run.rows)} sub-networks"
    if len(shown) < len(members):
        title += f" ({len(shown)} shown, all in front.csv)"
    table = Table(title=title, title_justify="left")
    table.add_column("index", justify="right")
    for objective in run.objectives:
        table.add_column(escape(objective.column), justify="right")
    architectures = run.architectures
    for name in architectures[0] if architectures else ():
        table.add_column(name, overflow="ellipsis", no_wrap=True)
    indices = run.column("index")
    for row in shown:
        values = [readable(float(value)) for value in run.values[row]]
        table.add_row(indices[row], *values, *(short(value) for value in architectures[row].values()))
    return table


def readable(value: float) -> str:
    """Return a number with four significant digits at least, thousands separated."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def short(values: Any) -> str:
    """Return a list of one-digit options without separators, anything else as it is."""
    if isinstance(values, list):
        separator = "" if all(len(str(value)) == 1 for value in values) else " "
        return separator.join(map(str, values))
    return str(values)


def comparison_table(rows: list[Mapping[str, str]]) -> Table:
    """Return the comparison of groups of runs; every row has the same keys."""
    table = Table()
    for name in rows[0]:
        table.add_column(escape(name), justify="left" if name == "runs" else "right")
    for row in rows:
        table.add_row(*map(escape, row.values()))
    return table
