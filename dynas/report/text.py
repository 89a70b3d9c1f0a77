"""Numbers and settings as a reader wants to see them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from dynas.core.objectives import Objective
from dynas.runs.load import Run


def quality_text(run: Run) -> str:
    """Return how many latencies are not as good as was asked for, and why; empty where all are."""
    said = {
        "disturbed": "were taken beside other work or at another clock rate, which was divided out",
        "unsteady": "are less certain than hardware.tolerance asks for",
    }
    parts = [f"{run.qualities[quality]} {text}" for quality, text in said.items() if quality in run.qualities]
    return f"of {len(run)} latencies, {' and '.join(parts)}: see latency_quality in results.csv" if parts else ""


def point_text(objectives: Sequence[Objective], point: Sequence[float]) -> str:
    """Return a point in the objectives' units as text, such as ``top1 61.2 %; latency 9.5 ms``."""
    return "; ".join(f"{one.name} {readable(value)} {one.unit}" for one, value in zip(objectives, point, strict=True))


def readable(value: float) -> str:
    """Return a number in four significant digits, or as a whole number with separated thousands."""
    if not math.isfinite(value):
        return "—"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:#.4g}" if value % 1 else f"{value:g}"


def aligned(values: Sequence[float]) -> list[str]:
    """Return the numbers of a column with the same number of decimals, four significant digits in the largest."""
    largest = max(map(abs, values), default=0.0)
    whole = largest == 0 or all(value % 1 == 0 for value in values)
    decimals = 0 if whole else max(0, 3 - math.floor(math.log10(largest)))
    return [f"{value:,.{decimals}f}" for value in values]


def compact(value: Any) -> str:
    """Return an option as short text: ``35573`` for one-digit lists, ``512x3,640`` for others."""
    if not isinstance(value, list):
        return str(value)
    texts = [str(item) for item in value]
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
