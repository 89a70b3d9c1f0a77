"""A front before and after its members were tuned, side by side."""

from __future__ import annotations

import numpy as np

from dynas.report.fitted import Column, FittedTable
from dynas.report.text import aligned
from dynas.runs.tuned import Tuned


def tuned_table(tuned: Tuned) -> FittedTable:
    """Return what each sub-network has as searched and after tuning, and whether it is on the front then."""
    run = tuned.run
    index = run.header.index("index")
    order = np.lexsort(run.losses.T[::-1])
    columns = [Column("row", [run.rows[row][index] for row in order])]
    for column, objective in enumerate(run.objectives):
        after = run.values[order, column].tolist()
        if column not in tuned.columns:
            columns.append(Column(objective.column, aligned(after)))
            continue
        errors = tuned.errors[order, tuned.columns.index(column)]
        texts = aligned([*tuned.before[order, column], *after, *errors])
        count = len(order)
        columns.append(Column(f"{objective.name} searched [{objective.unit}]", texts[:count]))
        columns.append(Column(f"{objective.name} tuned [{objective.unit}]", texts[count : 2 * count]))
        if np.isfinite(errors).any():
            columns.append(Column("± s.e.", texts[2 * count :]))
    front, original = set(run.front.tolist()), run.original
    words = ["front" if row in front else "behind" for row in order]
    words = [f"{word}, original" if row == original else word for row, word in zip(order, words, strict=True)]
    columns.append(Column("tuned", words))
    title = f"after tuning: {len(front)} of {len(run)} sub-networks are on the front"
    caption = f"{tuned.failed} could not be tuned: see the error column of tuned.csv" if tuned.failed else ""
    return FittedTable(title, columns, caption=caption)
