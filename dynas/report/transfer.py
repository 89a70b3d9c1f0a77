"""What `dynas transfer` shows: a front where it was found and on another target, beside the target's own front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dynas.core.objectives import Objective, Values, losses
from dynas.core.pareto import hypervolume
from dynas.core.ranks import kendall_tau
from dynas.report.comparable import circumstances, is_timed, timing_text
from dynas.report.fitted import Column, FittedTable
from dynas.report.tables import MOST_ROWS, architecture_columns
from dynas.report.text import aligned, point_text
from dynas.runs.hypervolume import reference_point
from dynas.runs.load import Run
from dynas.runs.names import TRANSFER
from dynas.system.files import number, write_csv

FEWEST_FOR_RANKS = 3  # sub-networks, before a rank correlation says anything


def timed_column(objectives: Sequence[Objective]) -> int | None:
    """Return the first objective that depends on the hardware: a time, or a throughput."""
    return next((column for column, objective in enumerate(objectives) if is_timed(objective)), None)


@dataclass(frozen=True, eq=False)
class Transferred:
    """A front that was measured on another target.

    Attributes:
        run: its ``n`` sub-networks on the target, in the order of the front.
        source: the run that found them.
        rows: their rows in ``source``.
        column: the objective that depends on the hardware, of ``run`` and of ``source``.
        against: a run that searched for this target, or None.
    """

    run: Run
    source: Run
    rows: Sequence[int]
    column: int
    source_column: int
    against: Run | None = None

    @property
    def objective(self) -> Objective:
        """What depends on the hardware, as measured on the target."""
        return self.run.objectives[self.column]

    @property
    def before(self) -> Values:
        """Values ``(n,)`` where the front was found."""
        return self.source.values[list(self.rows), self.source_column]

    @property
    def now(self) -> Values:
        """Values ``(n,)`` on the target."""
        return self.run.values[:, self.column]

    @property
    def tau(self) -> float:
        """Kendall's tau of both; NaN for fewer than three sub-networks."""
        both = np.isfinite(self.before) & np.isfinite(self.now)
        if both.sum() < FEWEST_FOR_RANKS:
            return math.nan
        return kendall_tau(self.before[both], self.now[both])


def transferred(run: Run, source: Run, column: int, source_column: int, against: Run | None) -> Transferred:
    """Join what was measured on the target with the rows of the source."""
    places = {key: row for row, key in enumerate(source.keys)}
    return Transferred(run, source, [places[key] for key in run.keys], column, source_column, against)


def transfer_table(result: Transferred) -> FittedTable:
    """Return one row per member of the source's front: its row there, its values on the target, and where found."""
    run, shown = result.run, range(min(len(result.run), MOST_ROWS))
    index = result.source.header.index("index")
    still = set(run.front.tolist())
    columns = [Column("row", [result.source.rows[result.rows[row]][index] for row in shown])]
    for column, objective in enumerate(run.objectives):
        columns.append(Column(objective.column, aligned(run.values[shown, column].tolist())))
        if column == result.column:
            columns.append(Column("where found", aligned(result.before[shown].tolist())))
    columns.append(Column("on front", ["yes" if row in still else "no" for row in shown]))
    title = f"{len(run)} members of the front, {len(still)} of them non-dominated on the target"
    title += f" ({len(shown)} shown)" if len(shown) < len(run) else ""
    return FittedTable(title, [*columns, *architecture_columns(run, shown)], caption=timing_text(run))


def targets(result: Transferred) -> tuple[str, str]:
    """Return the settings and machines in which both targets differ: where the front was found, and here.

    Settings that only one kind of hardware has are left out: the kinds say as much.
    """
    before, now = circumstances(result.source), circumstances(result.run)
    differing = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    named = [key for key in differing if not key.endswith("._target_")]  # a class, which its option stands for
    differing = [key for key in named or differing if (key in before and key in now) or not key.startswith("hardware.")]
    there, here = (", ".join(f"{key}={facts[key]}" for key in differing if key in facts) for facts in (before, now))
    return there, here


def targets_sentence(result: Transferred) -> str:
    """Return in what both targets differ, in words."""
    there, here = targets(result)
    if there == here:
        return "the target is the one where the front was found: values differ by nothing but noise"
    return f"found with {there or 'none of these'}; the target has {here or 'none of these'}"


def order_sentence(result: Transferred) -> str:
    """Return how the objective changes with the hardware, in words."""
    both = np.isfinite(result.before) & np.isfinite(result.now) & (result.before != 0)
    ratio = float(np.median(result.now[both] / result.before[both])) if both.any() else math.nan
    tau = f", Kendall tau {result.tau:.3f}" if math.isfinite(result.tau) else ""
    return f"{result.objective.name}: {ratio:.3g} times that where found (median of {both.sum()}){tau}"


def volumes_on_target(result: Transferred) -> tuple[list[float], tuple[float, ...]]:
    """Return the hypervolumes on the target, of the front and of that of a search made for it, and their reference."""
    runs = [result.run] if result.against is None else [result.run, result.against]
    reference = reference_point(runs)
    point = losses(result.run.objectives, np.array([reference], dtype=float))[0]
    return [hypervolume(run.losses[run.front], point) for run in runs], reference


def volume_sentence(result: Transferred) -> str:
    """Return the hypervolume on the target, and how much of that of a search made for the target is lost."""
    (mine, *theirs), reference = volumes_on_target(result)
    text = f"hypervolume on the target {mine:.6g}"
    if theirs and theirs[0] > 0:
        lost = 100 * (1 - mine / theirs[0])
        change = f"{lost:.2f} % lost" if lost >= 0 else f"{-lost:.2f} % gained"  # that search was too short
        text += f", of the front that was searched for it {theirs[0]:.6g}: {change}"
    return f"{text}, up to the reference point {point_text(result.run.objectives, reference)}"


def write_transfer(result: Transferred, folder: Path) -> Path:
    """Write transfer.csv: per member its row in the source, its values on the target and where it was found."""
    run = result.run
    name, unit = result.objective.name, result.source.objectives[result.source_column].unit
    header = ["index", "source index", "key", *(one.column for one in run.objectives)]
    header += [f"{name} where found [{unit}]", "on front", "architecture"]
    still = set(run.front.tolist())
    lines: list[list[object]] = []
    for row, place in enumerate(result.rows):
        indices = (
            run.rows[row][run.header.index("index")],
            result.source.rows[place][result.source.header.index("index")],
        )
        values = [*run.values[row], result.before[row]]
        lines.append([*indices, run.keys[row], *map(number, values), int(row in still), run.architectures[row]])
    write_csv(folder / TRANSFER, header, lines)
    return folder / TRANSFER
