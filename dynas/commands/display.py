"""What a user sees of a command that measures, and what is kept of a search's predictors."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dynas.commands.sweep import heading, is_sweeping
from dynas.core.activity import Journal, watched
from dynas.core.evaluation import Evaluation, PredictorQuality
from dynas.core.pareto import hypervolume, non_dominated
from dynas.core.problem import Problem, make_batch
from dynas.metrics.measurer import EXTRACTING, measuring
from dynas.runs.names import PREDICTORS
from dynas.system.files import number, write_csv
from dynas.system.screen import screen
from dynas.system.ticker import Ticker

log = logging.getLogger(__name__)

REDRAWN = 1.0  # seconds between two drawings of a panel
REPEATED = 30.0  # seconds between two lines where the output is piped
LONG = 60.0  # seconds of a run whose length is worth a sentence


class Display:
    """Shows what a command does that measures: a panel that is drawn anew every second, or lines where it is piped.

    Evaluations are told to it as to an observer (`dynas.core.evaluation.Observer`); what is being done just now it
    reads itself (`dynas.core.activity`), so that it has something to show from the first second on.

    Args:
        folder: where results go.
        console: where to print; standard output by default.
        unit: what is counted.
        place: what ``folder`` is.

    Attributes:
        more: what the panel shows besides.
    """

    def __init__(
        self, folder: Path, console: Console | None = None, unit: str = "evaluations", place: str = "run folder"
    ) -> None:
        self.folder, self.console, self.unit, self.place = folder, console or screen(), unit, place
        self.more: dict[str, str] = {}
        self.total = self.done = self.failed = 0
        self._seconds: list[float] = []  # per evaluation, those of an earlier start included
        self._known, self._workers = 0, 1
        self._least = 0.0  # seconds per evaluation, before any is done
        self._began = self._asked = self._last = time.monotonic()
        self._journal = Journal()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start showing."""
        self._began = time.monotonic()
        self._journal = self._open.enter_context(watched())
        if self.console.is_terminal:
            errors = sys.stderr.isatty()  # else they go to a file, past the panel
            live = Live(
                console=self.console,
                get_renderable=self.panel,
                auto_refresh=False,
                transient=True,
                redirect_stderr=errors,
            )
            self._open.enter_context(live)
            live.refresh()
            self._open.enter_context(Ticker(REDRAWN, live.refresh))
        else:
            if is_sweeping():
                self.say(heading())
            self._open.enter_context(Ticker(REPEATED, lambda: self.say(self.line())))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the panel."""
        self._open.close()

    def begin(self, total: int, known: int = 0, workers: int = 1) -> None:
        """Hear that measuring begins.

        Args:
            total: how many there will be.
            known: how many of them the run folder holds already.
            workers: how many, or groups of them, are measured at the same time.
        """
        self.total, self._known, self._workers = total, known, workers
        self._asked = self._last = time.monotonic()

    def evaluated(self, evaluation: Evaluation) -> None:
        """Count a measured or remembered evaluation."""
        measurement = evaluation.measurement
        self.count(measurement.seconds)
        if measurement.error:
            self.failed += 1
            log.warning("evaluation %d failed: %s", evaluation.index, measurement.error)
        log.info("evaluation %d: %s %s", evaluation.index, evaluation.key, numbers_text(measurement.values))

    def count(self, seconds: float | None = None) -> None:
        """Count one more that took so many seconds, where that is known."""
        self._last = time.monotonic()
        self.done += 1
        if self.done <= self._known:
            self._asked = self._last
        if seconds is None:
            return
        self._seconds.append(seconds)
        if self.done == self._known + 1:
            self._estimate(seconds)

    def fitted(self, iteration: int, quality: Sequence[PredictorQuality]) -> None:
        """Nothing is predicted."""

    def say(self, sentence: str) -> None:
        """Print a line, above the panel where there is one."""
        self.console.print(sentence, soft_wrap=True, highlight=False, markup=False)

    def line(self) -> str:
        """Return what goes on as one line."""
        counted = f"{self.done}/{self.total} {self.unit}, {self.left_text()} left, " if self.total else ""
        return f"{clock_text(time.monotonic() - self._began)} elapsed, {counted}now: {self.now()}"

    def now(self) -> str:
        """Return what is being done just now."""
        return str(self._journal) or ("choosing candidates" if self.done else "starting")

    def panel(self) -> Panel:
        """Return what goes on as a panel."""
        rows: list[tuple[str, RenderableType]] = [
            ("now", self.now()),
            ("elapsed", clock_text(time.monotonic() - self._began)),
        ]
        if self.total:
            counted = Table.grid(padding=(0, 1))
            counted.add_row(ProgressBar(self.total, self.done, width=20), f"{self.done} / {self.total}")
            rows = [(self.unit, counted), *rows, ("time left", self.left_text())]
        if self._seconds:
            rows.append((f"per {self.unit[:-1]}", f"{np.mean(self._seconds):.2f} s"))
        rows += self.facts()
        if self.failed:
            rows.append(("failed", str(self.failed)))
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in [*rows, (self.place, str(self.folder))]:
            grid.add_row(name, Text(value) if isinstance(value, str) else value)
        return Panel(grid, title=Text(heading()), expand=False)

    def facts(self) -> list[tuple[str, str]]:
        """Return names and values of what the panel shows besides."""
        return list(self.more.items())

    def left_text(self) -> str:
        """Return how long it will take until all is measured, as far as that is known."""
        if not self.done:
            each = self._first_candidate()
            return f"at least {clock_text(each * self.total / self._workers)}" if each else "not known yet"
        fresh = self.done - self._known
        each = (self._last - self._asked) / fresh if fresh > 0 else float(np.mean(self._seconds)) / self._workers
        expected = each * self.missing() + self.confirming()
        return clock_text(max(0.0, expected - (time.monotonic() - self._last)))

    def missing(self) -> int:
        """Return how many are still to come."""
        return self.total - self.done

    def confirming(self) -> float:
        """Return how many seconds measuring members of the front again will take."""
        return 0.0

    def _first_candidate(self) -> float:
        """Return how many seconds a candidate takes at least, once the first one is through a step; before, 0."""
        for activity in tuple(self._journal.now):
            if activity.place > 1 and activity.what != EXTRACTING:
                passed = (time.perf_counter() - activity.began) / activity.place
                self._least = passed + self._journal.seconds.get(EXTRACTING, 0.0) / activity.total
        return self._least

    def _estimate(self, seconds: float) -> None:
        """Say how long a long run will take, by its first evaluation of ``seconds``."""
        missing = self.total - self._known
        if (whole := seconds * missing / self._workers) >= LONG:
            others = f" on {self._workers} workers" if self._workers > 1 else ""
            self.say(f"about {duration_text(whole)} for {missing} {self.unit} ({seconds:.1f} s each{others})")


class SearchDisplay(Display):
    """Shows a search: its front and predictors as well, and a line per iteration where it is piped.

    Args:
        folder, console: see `Display`.
    """

    def __init__(self, folder: Path, console: Console | None = None) -> None:
        super().__init__(folder, console)
        self._problem: Problem | None = None
        self._noisy: Sequence[str] = ()
        self._times = 0
        self._qualities: list[tuple[int, PredictorQuality]] = []
        self._front = np.empty((0, 0))
        self._worst = np.empty(0)
        self._volume = (0, 0.0)  # the hypervolume after so many evaluations
        self._iteration = 0
        self._confirming: list[float] = []
        self._left = 0

    def watch(self, problem: Problem, noisy: Sequence[str] = (), times: int = 0) -> None:
        """Hear what is searched.

        Args:
            problem: space and objectives.
            noisy: objectives that are measured again for members of the front.
            times: how often.
        """
        self._problem, self._noisy, self._times = problem, noisy, times if noisy else 0
        self._front = np.empty((0, len(problem.objectives)))
        self._worst = np.full(len(problem.objectives), -np.inf)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the panel."""
        super().__exit__(kind, error, trace)
        if self.done and not self.console.is_terminal:
            self._say_iteration()

    def evaluated(self, evaluation: Evaluation) -> None:
        """Count an evaluation in."""
        assert self._problem is not None
        if evaluation.iteration != self._iteration and self._iteration and not self.console.is_terminal:
            self._say_iteration()
        self._iteration = evaluation.iteration
        super().evaluated(evaluation)
        batch = make_batch(self._problem, evaluation.genotype[None], np.array([evaluation.measurement.values]))
        if batch.measured[0]:
            self._worst = np.maximum(self._worst, batch.losses[0])
            if batch.violation[0] <= 0:
                joined = np.vstack([self._front, batch.losses])
                self._front = joined[non_dominated(joined)]

    def fitted(self, iteration: int, quality: Sequence[PredictorQuality]) -> None:
        """Keep the errors of an iteration's predictors."""
        self._qualities += [(iteration, one) for one in quality]
        for one in quality:
            log.info("predictor of %s after iteration %d: %s", one.objective, iteration, describe(one))

    def confirmed(self, evaluation: Evaluation, left: int) -> None:
        """Count a further measurement of a member of the front, which needs ``left`` more."""
        measurement = evaluation.measurement
        self._last = time.monotonic()
        self._confirming.append(measurement.seconds)
        self._left = left
        if measurement.error:
            log.warning("confirmation %d failed: %s", evaluation.index, measurement.error)
        log.info("confirmation %d: %s %s", evaluation.index, evaluation.key, numbers_text(measurement.values))

    def facts(self) -> list[tuple[str, str]]:
        """Return names and values of what the panel shows besides."""
        if not self._iteration:
            return []
        return [
            ("iteration", str(self._iteration)),
            ("hypervolume", f"{self._hypervolume():.6g}"),
            ("front", f"{len(self._front)} sub-networks"),
            *((f"predictor of {one.objective}", describe(one)) for one in self._last_qualities()),
        ]

    def missing(self) -> int:
        """Return how many evaluations are still to come: none once the front is measured again."""
        return 0 if self._confirming else super().missing()

    def confirming(self) -> float:
        """Return how many seconds measuring members of the front again will take."""
        if self._confirming:
            return self._left * float(np.mean(self._confirming)) / self._workers
        if not self._noisy:
            return 0.0
        spent = self._journal.seconds
        again = sum(spent.get(what, 0.0) for what in (EXTRACTING, *map(measuring, self._noisy)))
        fresh = self.done - self._known
        each = again / fresh if again and fresh > 0 else float(np.mean(self._seconds)) / self._workers
        return self._times * len(self._front) * each

    def write_predictors(self) -> None:
        """Write predictors.csv, where any were trained."""
        if not self._qualities:
            return
        header = ["iteration", "objective", "examples", "mape [%]", "kendall_tau"]
        rows = [
            [iteration, one.objective, one.examples, number(one.mape), number(one.kendall_tau)]
            for iteration, one in self._qualities
        ]
        write_csv(self.folder / PREDICTORS, header, rows)

    def _hypervolume(self) -> float:
        if self._volume[0] != self.done:
            self._volume = (self.done, hypervolume(self._front, self._worst) if len(self._front) else 0.0)
        return self._volume[1]

    def _say_iteration(self) -> None:
        errors = "; ".join(f"{one.objective} {describe(one)}" for one in self._last_qualities())
        self.say(
            f"iteration {self._iteration}: {self.done}/{self.total} evaluations, "
            f"hypervolume {self._hypervolume():.6g}, {np.mean(self._seconds):.2f} s each, "
            f"{self.left_text()} left" + (f"; predictors: {errors}" if errors else "")
        )

    def _last_qualities(self) -> list[PredictorQuality]:
        objectives = self._problem.objectives if self._problem else ()
        measured = sum(not objective.exact for objective in objectives)
        return [quality for _, quality in self._qualities[-measured:]] if measured else []


def describe(quality: PredictorQuality) -> str:
    """Return a predictor's cross-validated errors in words."""
    return f"MAPE {quality.mape:.2f} %, Kendall tau {quality.kendall_tau:.3f}"


def numbers_text(values: Sequence[float]) -> str:
    """Return numbers with commas between them."""
    return ", ".join(f"{value:.10g}" for value in values)


def clock_text(seconds: float) -> str:
    """Return seconds as a clock shows them: ``2:05``, ``1:02:05``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def duration_text(seconds: float) -> str:
    """Return a length of time in words: ``17 min``, ``3 h 20 min``."""
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return " ".join(filter(None, [f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]))
