"""Sub-networks of a comparison that have a name: the knee, what was picked, and a baseline (original or largest)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynas.report.compare import Comparison
from dynas.report.pick import Pick, Wish, pick
from dynas.report.text import amount
from dynas.runs.load import Run


@dataclass(frozen=True, eq=False)
class Known:
    """A sub-network with a name.

    Attributes:
        what: its name.
        run: the run that measured it.
        row: its position in that run.
        reason: what there is to say of it.
    """

    what: str
    run: Run
    row: int
    reason: str


def known(comparison: Comparison, chosen: Pick | None) -> list[Known]:
    """Return the original or the largest, the knee where there are several objectives, and what ``--pick`` chose."""
    largest = _original(comparison.runs) or _largest(comparison.runs)
    found = [largest] if largest else []
    knee = None
    if len(comparison.objectives) > 1 and any(len(run.front) for run in comparison.runs):
        knee = pick(comparison.runs, Wish((), None))
    for what, one in (("knee", knee), ("pick", chosen)):
        if one is not None:
            found.append(Known(what, one.run, one.row, _against(largest, one.run, one.row)))
    return found


def _original(runs: Sequence[Run]) -> Known | None:
    """Return the network that all sub-networks are made from, where a run has measured it."""
    return next(
        (
            Known("original", run, run.original, "All others are made from it.")
            for run in runs
            if run.original is not None
        ),
        None,
    )


def _largest(runs: Sequence[Run]) -> Known | None:
    """Return the measured sub-network of which no design variable is smaller than another one's; often there is none.

    Where a search measured the largest one of its supernet, which that was made elastic from, it is this one.
    """
    rows = [(run, int(row)) for run in runs for row in np.flatnonzero(run.measured)]
    options = [_numbers(json.loads(run.architectures[row])) for run, row in rows]
    if len({len(some) for some in options}) != 1:
        return None  # of several supernets
    table = np.array(options)
    found = [rows[place] for place in np.flatnonzero((table == table.max(axis=0)).all(axis=1))]
    if len({run.keys[row] for run, row in found}) != 1:
        return None
    return Known("largest", *found[0], "No option of any other sub-network that was measured is larger.")


def _numbers(value: Any) -> list[float]:
    """Return the options of an architecture that are numbers, in one list."""
    if isinstance(value, dict | list):
        return [number for one in (value.values() if isinstance(value, dict) else value) for number in _numbers(one)]
    return [float(value)] if isinstance(value, int | float) else []


def _against(largest: Known | None, run: Run, row: int) -> str:
    """Return how a sub-network differs from the original or the largest, in words."""
    if largest is None or run.keys[row] == largest.run.keys[largest.row]:
        return ""
    parts = []
    for objective, now, then in zip(run.objectives, run.values[row], largest.run.values[largest.row], strict=True):
        change = float(now - then)
        is_share = objective.unit.split(",")[0] == "%" or then == 0
        size = amount(abs(change), objective) if is_share else f"{abs(100 * change / then):.2g} %"
        parts.append(
            f"{objective.name} {size} {'higher' if change > 0 else 'lower'}" if change else f"the same {objective.name}"
        )
    return f"Against the {largest.what}: {', '.join(parts)}."
