"""What `dynas evaluate` shows: new measurements, beside earlier ones of the same sub-networks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dynas.core.objectives import Objective, Values
from dynas.report.comparable import circumstances, timing_text
from dynas.report.fitted import Column, FittedTable
from dynas.report.tables import MOST_ROWS, architecture_columns
from dynas.report.text import aligned
from dynas.runs.architectures import Candidate
from dynas.runs.load import Run, load_run
from dynas.runs.names import EARLIER, RUN
from dynas.system.files import number, write_csv

FEWEST_FOR_RANKS = 3  # sub-networks, before a rank correlation says anything


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A finished evaluation of named architectures.

    Attributes:
        run: its ``n`` results, in the order in which the architectures were named.
        named: per result, everything that named this sub-network.
        earlier: values ``(n, M)`` of earlier measurements, NaN where there is none.
    """

    run: Run
    named: Sequence[Sequence[Candidate]]
    earlier: Values

    @property
    def again(self) -> list[tuple[int, Objective]]:
        """Column and objective of what was measured, not computed, before and now."""
        both = np.isfinite(self.earlier) & np.isfinite(self.run.values)
        return [(m, one) for m, one in enumerate(self.run.objectives) if both[:, m].any() and not one.exact]


def evaluated(run: Run, candidates: Mapping[str, Sequence[Candidate]]) -> Evaluated:
    """Join results with the candidates ``(by key)`` that they are of."""
    named = [candidates[key] for key in run.keys]
    earlier = [[_first(some, objective.name) for objective in run.objectives] for some in named]
    return Evaluated(run, named, np.array(earlier, dtype=float).reshape(-1, len(run.objectives)))


def _first(candidates: Sequence[Candidate], objective: str) -> float:
    values = (candidate.earlier.get(objective, math.nan) for candidate in candidates)
    return next((value for value in values if math.isfinite(value)), math.nan)


def evaluated_table(result: Evaluated) -> FittedTable:
    """Return one row per sub-network: its row and its names, its values, and earlier ones beside them."""
    run, again = result.run, dict(result.again)
    rows = range(min(len(run), MOST_ROWS))
    index = run.header.index("index")
    named = [", ".join(dict.fromkeys(one.name for one in result.named[row])) for row in rows]
    columns = [Column("row", [run.rows[row][index] for row in rows]), Column("given as", named, folds=True)]
    for column, objective in enumerate(run.objectives):
        now, earlier = run.values[rows, column].tolist(), result.earlier[rows, column].tolist()
        if column not in again:
            columns.append(Column(objective.column, aligned(now)))
            continue
        together = aligned([*now, *earlier])
        columns.append(Column(objective.column, together[: len(rows)]))
        columns.append(Column(f"{objective.name} earlier", together[len(rows) :]))
    title = "1 sub-network measured" if len(run) == 1 else f"{len(run)} sub-networks measured"
    title += f" ({len(rows)} shown)" if len(rows) < len(run) else ""
    return FittedTable(title, [*columns, *architecture_columns(run, rows)], caption=timing_text(run))


def changes(result: Evaluated) -> list[str]:
    """Return one sentence per objective that was measured before: how far and in which order the values moved."""
    from scipy.stats import kendalltau

    sentences = []
    for column, objective in result.again:
        before, now = result.earlier[:, column], result.run.values[:, column]
        both = np.isfinite(before) & np.isfinite(now) & (before != 0)
        if not both.any():
            continue
        change = float(np.median(100 * (now[both] / before[both] - 1)))
        sentence = f"{objective.name}: {change:+.2f} % against the earlier values"
        if both.sum() > 1:
            sentence += f" (median of {both.sum()})"
        if both.sum() >= FEWEST_FOR_RANKS:
            sentence += f", Kendall tau {kendalltau(before[both], now[both]).statistic:.3f}"
        sentences.append(sentence)
    return sentences


def differences(result: Evaluated) -> list[str]:
    """Return one sentence per run whose earlier values were measured in another way or on another machine."""
    sentences = []
    sources = (one.source for some in result.named for one in some if one.source is not None)
    for source in dict.fromkeys(sources) if result.again else ():
        folder = source if source.is_dir() else source.parent
        if not (folder / RUN).is_file():
            continue  # somebody else's table
        before, now = (_conditions(run) for run in (load_run(folder), result.run))
        other = [
            f"{what}={before[what]} (now {now[what]})" for what in before if now.get(what, before[what]) != before[what]
        ]
        if other:
            sentences.append(f"'{source}' was measured with {', '.join(other)}")
    return sentences


def _conditions(run: Run) -> dict[str, str]:
    digests = {name: str(run.facts[name])[:8] for name in ("weights_sha256", "data_sha256") if name in run.facts}
    return circumstances(run) | digests


def write_earlier(result: Evaluated, folder: Path) -> Path | None:
    """Write earlier.csv, the earlier values beside the new ones; nothing where there are none."""
    if not result.again:
        return None
    run = result.run
    header = ["index", "key", "given as"]
    for _, objective in result.again:
        header += [objective.column, f"{objective.name} earlier [{objective.unit}]"]
    lines: list[list[object]] = []
    for row, candidates in enumerate(result.named):
        line: list[object] = [run.rows[row][run.header.index("index")], run.keys[row]]
        line.append("; ".join(f"{one.source} {one.name}" if one.source else one.name for one in candidates))
        for column, _ in result.again:
            line += [number(run.values[row, column]), number(result.earlier[row, column])]
        lines.append(line)
    write_csv(folder / EARLIER, header, lines)
    return folder / EARLIER
