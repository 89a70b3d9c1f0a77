"""What `dynas transfer` shows: a front where it was found and on another target, beside the target's own front."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table
from scipy.stats import kendalltau

from dynas.core.objectives import Objective, Values, losses
from dynas.core.pareto import hypervolume
from dynas.report.comparable import TIME_UNITS, circumstances
from dynas.report.tables import MOST_ROWS, architecture_table
from dynas.report.text import aligned, point_text
from dynas.runs.hypervolume import reference_point
from dynas.runs.load import Run
from dynas.runs.names import TRANSFER
from dynas.system.files import number, write_csv

FEWEST_FOR_RANKS = 3  # sub-networks, before a rank correlation says anything


def timed_column(objectives: Sequence[Objective]) -> int | None:
    """Return the first objective that depends on the hardware: a time, or a throughput."""
    for column, objective in enumerate(objectives):
        unit = objective.unit.split(",")[0]
        if "latency" in objective.name or unit in TIME_UNITS or objective.name == "throughput":
            return column
    return None


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
        return float(kendalltau(self.before[both], self.now[both]).statistic)


def transferred(run: Run, source: Run, column: int, source_column: int, against: Run | None) -> Transferred:
    """Join what was measured on the target with the rows of the source."""
    places = {key: row for row, key in enumerate(source.keys)}
    return Transferred(run, source, [places[key] for key in run.keys], column, source_column, against)


def transfer_table(result: Transferred) -> Table:
    """Return one row per member of the source's front: its row there, its values on the target, and where found."""
    run, shown = result.run, range(min(len(result.run), MOST_ROWS))
    index = result.source.header.index("index")
    still = set(run.front.tolist())
    cells = {"row": [result.source.rows[result.rows[row]][index] for row in shown]}
    for column, objective in enumerate(run.objectives):
        cells[objective.column] = _texts(run.values[shown, column])
        if column == result.column:
            cells["where found"] = _texts(result.before[shown])
    cells["on front"] = ["yes" if row in still else "no" for row in shown]
    title = f"{len(run)} members of the front, {len(still)} of them non-dominated on the target"
    title += f" ({len(shown)} shown)" if len(shown) < len(run) else ""
    return architecture_table(title, cells, [json.loads(run.architectures[row]) for row in shown], TRANSFER)


def _texts(values: Values) -> list[str]:
    """Return numbers with as many decimals for all; a dash where there is none."""
    texts = iter(aligned(values[np.isfinite(values)].tolist()))
    return [next(texts) if math.isfinite(value) else "—" for value in values]


def targets_sentence(result: Transferred) -> str:
    """Return in which settings and machines both targets differ, in words."""
    before, now = circumstances(result.source), circumstances(result.run)
    differing = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if not differing:
        return "the target is the one where the front was found: values differ by nothing but noise"
    there, here = (", ".join(f"{key}={facts[key]}" for key in differing if key in facts) for facts in (before, now))
    return f"found with {there or 'none of these'}; the target has {here or 'none of these'}"


def order_sentence(result: Transferred) -> str:
    """Return how the objective changes with the hardware, in words."""
    both = np.isfinite(result.before) & np.isfinite(result.now) & (result.before != 0)
    ratio = float(np.median(result.now[both] / result.before[both])) if both.any() else math.nan
    tau = f", Kendall tau {result.tau:.3f}" if math.isfinite(result.tau) else ""
    return f"{result.objective.name}: {ratio:.3g} times that where found (median of {both.sum()}){tau}"


def volume_sentence(result: Transferred) -> str:
    """Return the hypervolume on the target, and how much of that of a search made for the target is lost."""
    runs = [result.run] if result.against is None else [result.run, result.against]
    reference = reference_point(runs)
    mine, *theirs = (_volume(run, reference) for run in runs)
    text = f"hypervolume on the target {mine:.6g}"
    if theirs and theirs[0] > 0:
        lost = 100 * (1 - mine / theirs[0])
        change = f"{lost:.2f} % lost" if lost >= 0 else f"{-lost:.2f} % gained"  # that search was too short
        text += f", of the front that was searched for it {theirs[0]:.6g}: {change}"
    return f"{text}, up to the reference point {point_text(result.run.objectives, reference)}"


def _volume(run: Run, reference: Sequence[float]) -> float:
    return hypervolume(run.losses[run.front], losses(run.objectives, np.array([reference], dtype=float))[0])


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
