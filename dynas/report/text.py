"""Numbers and settings as a reader wants to see them."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from dynas.core.known import source_column
from dynas.core.objectives import Objective
from dynas.runs.gates import ABSENT
from dynas.runs.load import Run

MOSTLY = 5.0  # percent that the pace of a whole run may be off without a word


def quality_text(run: Run) -> str:
    """Return how many latencies are not as good as was asked for, and why; empty where all are."""
    said = {
        "disturbed": "were taken beside other work or at a lower clock rate, which was divided out",
        "unsteady": "are less certain than hardware.tolerance asks for",
    }
    parts = [f"{run.qualities[quality]} {text}" for quality, text in said.items() if quality in run.qualities]
    sentences = [f"of {len(run)} latencies, {' and '.join(parts)}: see latency_quality in results.csv"] if parts else []
    if run.drift > MOSTLY:
        sentences.append(
            f"the machine was {run.drift:.0f} % slower during most of the run than undisturbed: latencies are those of "
            "the undisturbed machine"
        )
    if run.drift < -MOSTLY:
        sentences.append(
            f"the machine was {-run.drift:.0f} % faster during most of the run than when it began: latencies are those "
            "of the slower machine, compare them with each other only"
        )
    return "; ".join(sentences)


def known_text(run: Run) -> str:
    """Return how many values were taken over, from where, and how long such rows took; empty where none was."""
    sentences = []
    for objective in run.objectives:
        if (column := source_column(objective.name)) not in run.header:
            continue
        sources = [row[run.header.index(column)] for row in run.rows]
        if counts := Counter(filter(None, sources)):
            places = ", ".join(f"{count} from {printable(source)}" for source, count in counts.most_common())
            known = np.array([bool(source) for source in sources])
            took = f"{run.seconds[known].mean():.2f} s each"
            took += "" if known.all() else f" instead of {run.seconds[~known].mean():.2f} s"
            sentences.append(f"{objective.name} was known of {counts.total()} of {len(run)} ({places}): {took}")
    return "; ".join([*sentences, "known=null measures everything"]) if sentences else ""


def point_text(objectives: Sequence[Objective], point: Sequence[float]) -> str:
    """Return a point in the objectives' units as text, such as ``top1 61.2 %; latency 9.5 ms``."""
    return "; ".join(f"{one.name} {readable(value)} {one.unit}" for one, value in zip(objectives, point, strict=True))


def readable(value: float) -> str:
    """Return a number in four significant digits, or as a whole number with separated thousands."""
    if not math.isfinite(value):
        return "—"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:#.4g}" if value % 1 else f"{value:g}"


def aligned(values: Sequence[float], digits: int = 4) -> list[str]:
    """Return the numbers of a column with the same number of decimals; a dash where there is none.

    The largest has ``digits`` significant digits and the smallest two, as far as six decimals give them.
    """
    finite = [abs(value) for value in values if math.isfinite(value)]
    sizes = [value for value in finite if value > 0]
    decimals = 0
    if any(value % 1 for value in sizes):
        places = (digits - 1 - math.floor(math.log10(max(sizes))), 1 - math.floor(math.log10(min(sizes))))
        decimals = max(0, places[0], min(6, places[1]))
    return [or_dash(value, f",.{decimals}f") for value in values]


def amount(size: float, objective: Objective) -> str:
    """Return a difference of an objective in words; that of two percentages is in points."""
    unit, number = objective.unit.split(",")[0], f"{size:.2g}"
    return f"{number} {unit}" if unit != "%" else f"{number} point{'s' * (number != '1')}"


def printable(text: str) -> str:
    """Return a text without signs that a terminal obeys, or that no file can hold: they are spelt out."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def compact(value: Any) -> str:
    """Return an option as short text: ``35573`` for one-digit lists, ``512x3,640`` for others.

    What is switched off at the end of a list is left out.
    """
    if not isinstance(value, list):
        return str(value)
    texts = [str(item) for item in value]
    while len(texts) > 1 and texts[-1] == ABSENT:
        texts.pop()
    if all(len(text) == 1 for text in texts):
        return "".join(texts)
    repeats = [(text, len(list(same))) for text, same in itertools.groupby(texts)]
    return ",".join(text if count == 1 else f"{text}x{count}" for text, count in repeats)


def or_dash(value: float, form: str) -> str:
    """Return a formatted number, or a dash where there is none."""
    return format(value, form) if math.isfinite(value) else "—"


def seconds_text(seconds: float) -> str:
    """Return seconds with as many decimals as are worth reading."""
    return f"{seconds:,.0f}" if seconds >= 10 else or_dash(seconds, ".2g")


def nearest_text(run: Run) -> str:
    """Return a sentence on how near a run came to its bounds where nothing is within them, else an empty text."""
    measured = run.values[run.measured]
    if not len(measured) or run.feasible.any():
        return ""
    parts = []
    for objective, values in zip(run.objectives, measured.T, strict=True):
        if objective.bound is not None:
            sign, best = ("<=", values.min()) if objective.direction == "min" else (">=", values.max())
            limit = f"{objective.name} {sign} {objective.bound:g} {objective.unit}"
            parts.append(f"{limit}, the nearest has {readable(float(best))}")
    return f"nothing is within the bounds: {'; '.join(parts)}; give a looser bound or a larger budget"
