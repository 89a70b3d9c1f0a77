"""Tables for the screen and for other programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence

import numpy as np

from dynas.report.comparable import timing_text
from dynas.report.compare import Comparison, Group
from dynas.report.fitted import Column, FittedTable
from dynas.report.text import aligned, compact, or_dash, seconds_text
from dynas.runs.load import Run

MOST_ROWS = 20
MOST_RIVALS = 8  # columns of the table of evaluations that are needed
SPEED_TITLE = "evaluations after which each has the final hypervolume of another"
SPEED_CAPTION = (
    "10 (5.9x): after 10 evaluations, where the other needed 5.9 times as many; by the mean over seeds; —: never"
)
LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "±": r"$\pm$", "—": "---", "·": r"$\cdot$", "µ": r"$\mu$",
}  # fmt: skip
Record = Mapping[str, str | int | float | None]


def front_table(run: Run) -> FittedTable:
    """Return the measured front: row as ``--row`` takes it, objectives, and the architecture; then the original."""
    rows = run.front
    if len(rows) > MOST_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).round().astype(int)]
    index = run.header.index("index")
    title = f"{'confirmed ' if run.confirmed else ''}front: {len(run.front)} of {len(run)} sub-networks"
    title += f" ({len(rows)} shown)" if len(rows) < len(run.front) else ""
    if run.original is not None and run.original not in rows:
        rows = np.append(rows, run.original)
    columns = [Column("row", [run.rows[row][index] for row in rows])]
    if run.original is not None:
        columns.append(Column("", ["original" if row == run.original else "" for row in rows]))
    for column, objective in enumerate(run.objectives):
        columns.append(Column(objective.column, aligned(run.values[rows, column].tolist())))
    return FittedTable(title, [*columns, *architecture_columns(run, rows.tolist())], caption=timing_text(run))


def architecture_columns(run: Run, rows: Sequence[int]) -> list[Column]:
    """Return a column per design variable of some rows, by position."""
    architectures = [run.architecture(row) for row in rows]
    names = dict.fromkeys(name for architecture in architectures for name in architecture)
    return [Column(name, [compact(one.get(name, "")) for one in architectures], folds=True) for name in names]


def comparison_tables(comparison: Comparison) -> list[FittedTable]:
    """Return one row per group: evaluations, front, hypervolume; of several groups distances and time by themselves."""
    keys = _keys(comparison)
    names, lines = measures(comparison)
    columns = [Column(name, cells) for name, cells in zip(names, zip(*lines, strict=True), strict=True)]
    split = names.index("IGD+") if "IGD+" in names else len(names)
    parts = [("hypervolume", columns[:split]), ("distance to the joint front, and time", columns[split:])]
    return [FittedTable(title, [*keys, *some], len(keys)) for title, some in parts if some]


def speed_table(comparison: Comparison) -> FittedTable:
    """Return how many evaluations each group needs for the final hypervolume of each of the first groups."""
    keys, rivals = _keys(comparison), comparison.groups[:MOST_RIVALS]
    columns = [
        Column(f"of #{place}", [reach_text(group, rival) for group in comparison.groups])
        for place, rival in enumerate(rivals, start=1)
    ]
    return FittedTable(SPEED_TITLE, [*keys, *columns], len(keys), SPEED_CAPTION)


def comparison_markdown(comparison: Comparison) -> str:
    """Return the comparison as a Markdown table."""
    reach = [f"to reach {group.name}" for group in comparison.groups] if len(comparison.groups) > 1 else []
    names, cells = measures(comparison)
    lines = [["runs", *names, *reach], ["---"] + ["---:"] * len([*names, *reach])]
    for group, own in zip(comparison.groups, cells, strict=True):
        rivals = [reach_text(group, rival) for rival in comparison.groups[: len(reach)]]
        lines.append([group.name, *own, *rivals])
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def comparison_latex(comparison: Comparison) -> str:
    """Return the comparison as a LaTeX table with the lines of the package booktabs; the best hypervolume is bold."""
    names, cells = measures(comparison)
    header = ["runs", *names]
    column = names.index("hypervolume")
    best = cells[0][column]
    lines = [
        r"% needs \usepackage{booktabs}",
        rf"\begin{{tabular}}{{l{'r' * len(names)}}}",
        r"\toprule",
        f"{' & '.join(map(latex, header))} \\\\",
        r"\midrule",
    ]
    for group, own in zip(comparison.groups, cells, strict=True):
        shown = [
            rf"\textbf{{{latex(cell)}}}" if (at, cell) == (column, best) else latex(cell) for at, cell in enumerate(own)
        ]
        lines.append(f"{' & '.join([latex(group.name), *shown])} \\\\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def latex(text: str) -> str:
    """Return a text as LaTeX prints it."""
    return "".join(LATEX.get(sign, sign) for sign in text)


def p_text(value: float) -> str:
    """Return a p value as papers show it."""
    return "<0.001" if value < 0.001 else or_dash(value, ".3f")


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
            "p value to the first": _finite(group.p_value),
            "IGD+": _finite(group.igd_plus),
            "epsilon": _finite(group.epsilon),
            "measurement seconds": _finite(group.measurement_seconds),
            "search seconds": _finite(group.search_seconds),
        }
        for rival in comparison.groups:
            record[f"evaluations to reach {rival.name}"] = _finite(group.evaluations_to(rival.hypervolume))
            record[f"speed-up over {rival.name}"] = _finite(group.speed_up(rival))
        records.append({**record, **reference})
    return records


def _keys(comparison: Comparison) -> list[Column]:
    """Return what says which group a row is of: its place where there are several, and its name."""
    groups = comparison.groups
    places = [Column("#", [str(place) for place in range(1, len(groups) + 1)])] if len(groups) > 1 else []
    return [*places, Column("runs", [group.name for group in groups], folds=True)]


def measures(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Return names and cells of what is told of every group; of confirmed fronts only where there are any."""
    groups, n = comparison.groups, len(comparison.groups)
    volumes = [group.hypervolume for group in groups]
    errors = [group.standard_error for group in groups]
    confirmed = [group.confirmed_hypervolume for group in groups]
    texts = aligned([*volumes, *errors, *confirmed], digits=5)  # an error has the decimals of its mean
    columns = {
        "seeds": [str(len(group.runs)) for group in groups],
        "evaluations": [str(group.evaluations) for group in groups],
        "front": [f"{group.front_size:.1f}" for group in groups],
        "hypervolume": texts[:n],
        "± s.e.": texts[n : 2 * n],
    }
    if any(map(math.isfinite, confirmed)):
        columns["confirmed"] = texts[2 * n :]
    if any(math.isfinite(group.p_value) for group in groups):
        columns["p to #1"] = [p_text(group.p_value) for group in groups]
    if len(groups) > 1:
        columns["IGD+"] = [or_dash(group.igd_plus, ".3f") for group in groups]
        columns["epsilon"] = [or_dash(group.epsilon, ".3f") for group in groups]
    columns["measure [s]"] = [seconds_text(group.measurement_seconds) for group in comparison.groups]
    columns["search [s]"] = [seconds_text(group.search_seconds) for group in comparison.groups]
    return list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)]


def reach_text(group: Group, rival: Group) -> str:
    """Return the evaluations that a group needs for a rival's final hypervolume, and how many times fewer that is."""
    needed = group.evaluations_to(rival.hypervolume)
    if rival is group or not math.isfinite(needed):
        return or_dash(needed, ".0f")
    return f"{needed:.0f} ({group.speed_up(rival):.1f}x)"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
