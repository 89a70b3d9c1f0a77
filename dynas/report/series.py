"""Measured sub-networks, divided into series that share a picture: by group, by precision, by range of a search."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.report.compare import Comparison
from dynas.report.text import readable
from dynas.runs.load import Run


@dataclass(frozen=True, eq=False)
class Series:
    """Sub-networks that are drawn alike.

    Attributes:
        name: what they have in common.
        values: their objectives ``(n, M)``, in the objectives' units; all are measured and within the bounds.
    """

    name: str
    values: Values


def by_group(comparison: Comparison) -> list[Series]:
    """Return one series per group, its runs together."""
    series = []
    for group in comparison.groups:
        seeds = f" ({len(group.runs)} runs)" if len(group.runs) > 1 else ""
        series.append(Series(group.name + seeds, np.concatenate([run.values[run.feasible] for run in group.runs])))
    return series


def by_precision(comparison: Comparison) -> list[Series]:
    """Return one series per precision where it is part of the architectures, else none."""
    found: dict[str, list[Values]] = {}
    for run in comparison.runs:
        if "p" in json.loads(run.architectures[0]):
            precisions = np.array([json.loads(text)["p"] for text in run.architectures])
            for name in np.unique(precisions):
                found.setdefault(str(name), []).append(run.values[run.feasible & (precisions == name)])
    return [Series(name, np.concatenate(some)) for name, some in sorted(found.items())]


def by_range(comparison: Comparison) -> list[Series]:
    """Return the finds of one-shot searches per range (`dynas.modes.oneshot`) and the other groups; else none."""
    ranged: dict[str, list[Values]] = {}
    others: list[Series] = []
    for group, series in zip(comparison.groups, by_group(comparison), strict=True):
        if not any(_ranges(run) for run in group.runs):
            others.append(series)
        for run in group.runs:
            for name, rows in _ranges(run).items():
                ranged.setdefault(name, []).append(run.values[rows])
    return [*others, *(Series(name, np.concatenate(some)) for name, some in ranged.items())] if ranged else []


def _ranges(run: Run) -> dict[str, NDArray[np.bool_]]:
    """Return the rows that each range of a one-shot search found; its training set comes in an iteration before."""
    config = run.facts.get("config")
    mode = config.get("mode") if isinstance(config, Mapping) else None
    ranges = mode.get("ranges") if isinstance(mode, Mapping) else None
    found: dict[str, NDArray[np.bool_]] = {}
    if isinstance(mode, Mapping) and isinstance(ranges, Mapping):
        first = 2 if mode.get("training") else 1
        for objective, ends in ranges.items():
            units = {one.name: one.unit.split(",")[0] for one in run.objectives}
            for place, end in enumerate(_ends(ends)):
                name = f"one-shot, {objective} up to {readable(end)} {units.get(str(objective), '')}"
                found[name] = run.feasible & (run.iterations == first + place)
    return found


def _ends(ends: object) -> Sequence[float]:
    return [float(end) for end in ends] if isinstance(ends, list) else []
