"""What a user sees of a running search, and what is kept of its predictors."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dynas.core.evaluation import Evaluation, Observer, PredictorQuality
from dynas.core.pareto import hypervolume, non_dominated
from dynas.core.problem import Problem, make_batch
from dynas.report.tables import front_table
from dynas.report.text import nearest_text, point_text, quality_text
from dynas.runs.names import PREDICTORS
from dynas.system.files import number, write_csv
from dynas.system.screen import screen

if TYPE_CHECKING:
    from dynas.report.outputs import Summary

log = logging.getLogger(__name__)


class Display(Observer, Protocol):
    """An observer that shows something while measurements run."""

    def __enter__(self) -> Display:
        """Start showing."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""
        ...


class CountDisplay:
    """A bar on a terminal that counts evaluations, nothing elsewhere.

    Args:
        total: how many there will be.
        console: where to show it.
    """

    def __init__(self, total: int, console: Console) -> None:
        columns = (TextColumn("measured"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._bar = self._progress.add_task("measured", total=total)

    def __enter__(self) -> CountDisplay:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        self._progress.stop()

    def evaluated(self, evaluation: Evaluation) -> None:
        """Count an evaluation."""
        log.info("evaluation %d: %s %s", evaluation.index, evaluation.key, evaluation.measurement.values)
        self._progress.update(self._bar, advance=1)

    def fitted(self, iteration: int, quality: Sequence[PredictorQuality]) -> None:
        """Nothing is predicted."""


class SearchDisplay:
    """A live panel on a terminal, a line per iteration elsewhere; an observer of the search.

    Args:
        problem: space and objectives.
        budget: evaluations of the whole run.
        folder: the run folder.
        notes: sentences about the values that are printed below the front.
        console: where to print; standard output by default.
    """

    def __init__(
        self, problem: Problem, budget: int, folder: Path, notes: Sequence[str] = (), console: Console | None = None
    ) -> None:
        self._problem, self._budget, self._folder, self._notes = problem, budget, folder, notes
        self._console = console or screen()
        self._progress = Progress(
            TextColumn("evaluations"), BarColumn(), TextColumn("{task.completed:.0f} / {task.total:.0f}")
        )
        self._bar = self._progress.add_task("evaluations", total=budget)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._qualities: list[tuple[int, PredictorQuality]] = []
        self._front = np.empty((0, len(problem.objectives)))
        self._worst = np.full(len(problem.objectives), -np.inf)
        self._iteration = self._done = self._failed = self._confirmed = 0
        self._measured_seconds: list[float] = []

    def __enter__(self) -> SearchDisplay:
        """Show the panel."""
        if self._console.is_terminal:
            self._live.start()
            self._refresh()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the panel."""
        if self._live.is_started:
            self._live.stop()
        if self._done and not self._console.is_terminal:
            self._say_iteration()

    def evaluated(self, evaluation: Evaluation) -> None:
        """Count an evaluation in."""
        if evaluation.iteration != self._iteration and self._iteration and not self._console.is_terminal:
            self._say_iteration()
        self._iteration = evaluation.iteration
        self._done += 1
        values = np.array([evaluation.measurement.values])
        batch = make_batch(self._problem, evaluation.genotype[None], values)
        if not batch.measured[0]:
            self._failed += 1
            log.warning("evaluation %d failed: %s", evaluation.index, evaluation.measurement.error)
        else:
            self._worst = np.maximum(self._worst, batch.losses[0])
            if batch.violation[0] <= 0:
                joined = np.vstack([self._front, batch.losses])
                self._front = joined[non_dominated(joined)]
        self._measured_seconds.append(evaluation.measurement.seconds)
        log.info("evaluation %d: %s %s", evaluation.index, evaluation.key, evaluation.measurement.values)
        self._refresh()

    def fitted(self, iteration: int, quality: Sequence[PredictorQuality]) -> None:
        """Keep the errors of an iteration's predictors."""
        self._qualities += [(iteration, one) for one in quality]
        log.info("predictors of iteration %d: %s", iteration, quality)
        self._refresh()

    def confirmed(self, evaluation: Evaluation) -> None:
        """Count a further measurement of a member of the front."""
        self._confirmed += 1
        if evaluation.measurement.error:
            log.warning("confirmation %d failed: %s", evaluation.index, evaluation.measurement.error)
        log.info("confirmation %d: %s %s", evaluation.index, evaluation.key, evaluation.measurement.values)
        self._refresh()

    def write_predictors(self) -> None:
        """Write predictors.csv, where any were trained."""
        if not self._qualities:
            return
        header = ["iteration", "objective", "examples", "mape [%]", "kendall_tau"]
        rows = [
            [iteration, one.objective, one.examples, number(one.mape), number(one.kendall_tau)]
            for iteration, one in self._qualities
        ]
        write_csv(self._folder / PREDICTORS, header, rows)

    def conclude(self, summary: Summary, status: str, stopped: str) -> None:
        """Print the measured front, why the search ended early, and where everything lies."""
        if not summary.run.measured.any():
            self._console.print("nothing was measured")
        else:
            self._console.print(front_table(summary.run))
            point = point_text(self._problem.objectives, summary.reference)
            self._console.print(f"{volume_text(summary)} up to the reference point {point}")
        for note in (*self._notes, *filter(None, [quality_text(summary.run)])):
            self._console.print(note, soft_wrap=True, highlight=False, markup=False)
        if self._failed:
            self._console.print(f"{self._failed} evaluations failed: see the error column of results.csv")
        if sentence := nearest_text(summary.run):
            self._console.print(sentence, soft_wrap=True, highlight=False, markup=False)
        if stopped:
            sentence = f"stopped after {self._done} evaluations: {stopped}"
            self._console.print(sentence, soft_wrap=True, highlight=False, markup=False)
        for path in summary.paths:
            self._console.print(f"  {path}", soft_wrap=True, highlight=False, markup=False)
        if status == "interrupted":
            command = f"dynas search resume={shlex.quote(str(self._folder))}"
            self._console.print(f"interrupted; go on with: {command}", soft_wrap=True, highlight=False, markup=False)

    def _hypervolume(self) -> float:
        return hypervolume(self._front, self._worst) if len(self._front) else 0.0

    def _say_iteration(self) -> None:
        errors = "; ".join(f"{one.objective} {describe(one)}" for one in self._last_qualities())
        self._console.print(
            f"iteration {self._iteration}: {self._done}/{self._budget} evaluations, "
            f"hypervolume {self._hypervolume():.6g}, {np.mean(self._measured_seconds):.2f} s each, "
            f"{self._remaining()} left" + (f"; predictors: {errors}" if errors else ""),
            soft_wrap=True,
            highlight=False,
        )

    def _remaining(self) -> str:
        seconds = float(np.mean(self._measured_seconds or [0.0])) * (self._budget - self._done)
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}"

    def _last_qualities(self) -> list[PredictorQuality]:
        measured = sum(not objective.exact for objective in self._problem.objectives)
        return [quality for _, quality in self._qualities[-measured:]] if measured else []

    def _refresh(self) -> None:
        if not self._live.is_started:
            return
        self._progress.update(self._bar, completed=self._done)
        facts = Table.grid(padding=(0, 2))
        facts.add_row("iteration", str(self._iteration))
        facts.add_row("hypervolume", f"{self._hypervolume():.6g}")
        facts.add_row("front", f"{len(self._front)} sub-networks")
        if self._measured_seconds:
            facts.add_row("per evaluation", f"{np.mean(self._measured_seconds):.2f} s")
            facts.add_row("time left", self._remaining())
        for one in self._last_qualities():
            facts.add_row(f"predictor of {one.objective}", describe(one))
        if self._failed:
            facts.add_row("failed", str(self._failed))
        if self._confirmed:
            facts.add_row("front measured again", str(self._confirmed))
        panel = Panel(Group(self._progress, facts), title="dynas", subtitle=escape(str(self._folder)), expand=False)
        self._live.update(panel, refresh=True)


def volume_text(summary: Summary) -> str:
    """Return the hypervolume in words, the one before confirming beside the one after."""
    if summary.confirmed is None or summary.run.again is None:
        return f"hypervolume {summary.hypervolume:.6g}"
    times, some = int(summary.run.again.sum()), int((summary.run.again > 0).sum())
    return (
        f"hypervolume {summary.confirmed:.6g} confirmed by {times} further measurements of {some} sub-networks, "
        f"{summary.hypervolume:.6g} by the first ones,"
    )


def describe(quality: PredictorQuality) -> str:
    """Return a predictor's cross-validated errors in words."""
    return f"MAPE {quality.mape:.2f} %, Kendall tau {quality.kendall_tau:.3f}"
