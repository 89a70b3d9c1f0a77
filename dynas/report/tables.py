"""Tables for the screen and for other programs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from dynas.report.compare import Comparison, Group
from dynas.report.text import aligned, compact, or_dash, seconds_text
from dynas.runs.load import Run

WIDTH = 100  # columns of the screen that a table may take
MOST_ROWS = 20
GAP = 2  # columns of the screen between two columns of a table
LEAST_WIDTH = 10  # a column that has to be cut gets this much at least, or is left out
NAMES = 20  # a column of names gets this much at least
MOST_RIVALS = 8  # columns of the table of evaluations that are needed
Record = Mapping[str, str | int | float | None]


def front_table(run: Run) -> Table:
    """Return the measured front: index in results.csv, objectives, and the architecture as far as it fits."""
    rows = run.front
    if len(rows) > MOST_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).round().astype(int)]
    index = run.header.index("index")
    cells = {"index": [run.rows[row][index] for row in rows]}
    for column, objective in enumerate(run.objectives):
        cells[objective.column] = aligned(run.values[rows, column].tolist())
    title = f"{'confirmed ' if run.confirmed else ''}front: {len(run.front)} of {len(run)} sub-networks"
    title += f" ({len(rows)} shown)" if len(rows) < len(run.front) else ""
    return architecture_table(title, cells, [json.loads(run.architectures[row]) for row in rows], "front.csv")


def architecture_table(
    title: str, cells: Mapping[str, Sequence[str]], architectures: Sequence[Mapping[str, Any]], file: str
) -> Table:
    """Return a table of sub-networks: the columns of ``cells``, and the architectures as far as they fit.

    Args:
        title: its title.
        cells: texts by column name, one per row.
        architectures: one per row.
        file: where a reader finds the architectures in full.
    """
    taken = sum(_width(name, column) + GAP for name, column in cells.items())
    names = list(architectures[0]) if architectures else []
    variables = {name: [compact(architecture.get(name)) for architecture in architectures] for name in names}
    widths = _fit(variables, WIDTH - taken)
    table = _table(title)
    for name in cells:
        table.add_column(escape(name), justify="right", no_wrap=True)
    for name, width in widths.items():
        table.add_column(escape(name), overflow="ellipsis", max_width=width)
    for values in zip(*cells.values(), *(variables[name] for name in widths), strict=True):
        table.add_row(*map(escape, values))
    if any(_width(name, column) > widths.get(name, 0) for name, column in variables.items()):
        table.caption = f"architectures in full: {file}"
    return table


def comparison_table(comparison: Comparison) -> Table:
    """Return one row per group: evaluations, front, hypervolume and time."""
    table = _table("hypervolume")
    if len(comparison.groups) > 1:
        table.add_column("#", justify="right", no_wrap=True)
    _add_names(table, comparison)
    names, lines = measures(comparison)
    for name in names:
        table.add_column(escape(name), justify="right", no_wrap=True)
    for place, (group, cells) in enumerate(zip(comparison.groups, lines, strict=True), start=1):
        places = [str(place)] if len(comparison.groups) > 1 else []
        table.add_row(*places, *map(escape, (_foldable(group.name), *cells)))
    return table


def speed_table(comparison: Comparison) -> Table:
    """Return how many evaluations each group needs for the final hypervolume of each of the first groups."""
    rivals = comparison.groups[:MOST_RIVALS]
    table = _table("evaluations to the final hypervolume of (times fewer than it needs itself)")
    table.add_column("#", justify="right", no_wrap=True)
    _add_names(table, comparison)
    for place in range(1, len(rivals) + 1):
        table.add_column(f"#{place}", justify="right", no_wrap=True)
    for place, group in enumerate(comparison.groups, start=1):
        table.add_row(str(place), escape(_foldable(group.name)), *(reach_text(group, rival) for rival in rivals))
    table.caption = "by the mean hypervolume over seeds; —: never"
    return table


def comparison_markdown(comparison: Comparison) -> str:
    """Return the comparison as a Markdown table."""
    reach = [f"to reach {group.name}" for group in comparison.groups] if len(comparison.groups) > 1 else []
    names, cells = measures(comparison)
    lines = [["runs", *names, *reach], ["---"] + ["---:"] * len([*names, *reach])]
    for group, own in zip(comparison.groups, cells, strict=True):
        rivals = [reach_text(group, rival) for rival in comparison.groups[: len(reach)]]
        lines.append([group.name, *own, *rivals])
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def comparison_csv(comparison: Comparison) -> str:
    """Return the comparison as CSV in full precision; an empty cell has no value, or is never reached."""
    buffer = io.StringIO()
    records = comparison_records(comparison)
    writer = csv.DictWriter(buffer, records[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return buffer.getvalue()


def comparison_records(comparison: Comparison) -> list[Record]:
    """Return one flat record per group, the same keys in each; None where there is no value."""
    point = zip(comparison.objectives, comparison.reference, strict=True)
    reference = {f"reference {objective.column}": value for objective, value in point}
    records: list[Record] = []
    for group in comparison.groups:
        record: dict[str, str | int | float | None] = {
            "runs": group.name,
            "seeds": len(group.runs),
            "evaluations": group.evaluations,
            "front size": group.front_size,
            "hypervolume": group.hypervolume,
            "standard error": _finite(group.standard_error),
            "confirmed hypervolume": _finite(group.confirmed_hypervolume),
            "measurement seconds": _finite(group.measurement_seconds),
            "search seconds": _finite(group.search_seconds),
        }
        for rival in comparison.groups:
            record[f"evaluations to reach {rival.name}"] = _finite(group.evaluations_to(rival.hypervolume))
            record[f"speed-up over {rival.name}"] = _finite(group.speed_up(rival))
        records.append({**record, **reference})
    return records


def _add_names(table: Table, comparison: Comparison) -> None:
    longest = max(len(group.name) for group in comparison.groups)
    table.add_column("runs", overflow="fold", min_width=min(NAMES, longest))


def _foldable(name: str) -> str:
    """Return the name of a group so that long settings fold behind their sign, and not within a number."""
    return " ".join(word.replace("=", "= ") if len(word) > NAMES else word for word in name.split())


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", caption_justify="left",
        min_width=len(title), box=box.SIMPLE_HEAD, show_edge=False, padding=(0, GAP - 1, 0, 0),
    )  # fmt: skip


def measures(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Return names and cells of what is told of every group; of confirmed fronts only where there are any."""
    columns = {
        "seeds": [str(len(group.runs)) for group in comparison.groups],
        "evaluations": [str(group.evaluations) for group in comparison.groups],
        "front": [f"{group.front_size:.1f}" for group in comparison.groups],
        "hypervolume": [f"{group.hypervolume:.5g}" for group in comparison.groups],
        "± s.e.": [or_dash(group.standard_error, ".2g") for group in comparison.groups],
    }
    if any(math.isfinite(group.confirmed_hypervolume) for group in comparison.groups):
        columns["confirmed"] = [or_dash(group.confirmed_hypervolume, ".5g") for group in comparison.groups]
    columns["measure [s]"] = [seconds_text(group.measurement_seconds) for group in comparison.groups]
    columns["search [s]"] = [seconds_text(group.search_seconds) for group in comparison.groups]
    return list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)]


def reach_text(group: Group, rival: Group) -> str:
    """Return the evaluations that a group needs for a rival's final hypervolume, and how many times fewer that is."""
    needed = group.evaluations_to(rival.hypervolume)
    if rival is group or not math.isfinite(needed):
        return or_dash(needed, ".0f")
    return f"{needed:.0f} ({group.speed_up(rival):.1f}x)"


def _fit(columns: Mapping[str, Sequence[str]], space: int) -> dict[str, int]:
    """Return the width of each column that is shown within ``space``, narrow ones first; the last may be cut."""
    widths: dict[str, int] = {}
    for name in sorted(columns, key=lambda name: _width(name, columns[name])):
        width = min(_width(name, columns[name]), space - GAP)
        if width < min(LEAST_WIDTH, _width(name, columns[name])):
            break
        widths[name] = width
        space -= width + GAP
    return {name: widths[name] for name in columns if name in widths}


def _width(name: str, cells: Sequence[str]) -> int:
    return max(map(len, (name, *cells)))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
