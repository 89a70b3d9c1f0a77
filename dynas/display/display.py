"""What a user sees of anything that measures."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
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

from dynas.core.activity import Journal, watched
from dynas.core.callback import Callback, Progress
from dynas.core.evaluation import Evaluation
from dynas.metrics.measurer import EXTRACTING
from dynas.system.screen import screen
from dynas.system.ticker import Ticker

log = logging.getLogger(__name__)

REDRAWN = 1.0  # seconds between two drawings of a panel
REPEATED = 30.0  # seconds between two lines where the output is piped
LONG = 60.0  # seconds of a run whose length is worth a sentence


@dataclass(frozen=True)
class Title:
    """What is shown.

    Attributes:
        text: in words, such as ``dynas search, job 2 of 5: seed=2``.
        announced: whether it is printed first where the output is piped.
    """

    text: str
    announced: bool = False


class Display(Callback):
    """Shows what a command does that measures: a panel that is drawn anew every second, or lines where it is piped.

    Evaluations are told to it as to any callback; what is being done just now it reads itself
    (`dynas.core.activity`), so that it has something to show from the first second on.

    Args:
        folder: where results go, or None.
        title: what is shown.
        console: where to print; standard output by default.
        unit: what is counted.
        place: what ``folder`` is.

    Attributes:
        more: what the panel shows besides.
        redrawn: whether there is a panel.
    """

    def __init__(
        self,
        folder: Path | None,
        title: Title,
        console: Console | None = None,
        unit: str = "evaluations",
        place: str = "run folder",
    ) -> None:
        self.folder, self.title, self.console, self.unit, self.place = folder, title, console or screen(), unit, place
        self.redrawn = can_redraw(self.console)
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
        if self.redrawn:
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
            if self.title.announced:
                self.say(self.title.text)
            self._open.enter_context(Ticker(REPEATED, lambda: self.say(self.line())))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the panel."""
        self._open.close()

    def begin(self, total: int, known: int = 0, workers: int = 1) -> None:
        """Hear that measuring begins, of another run perhaps than before.

        Args:
            total: how many there will be.
            known: how many of them the run folder holds already.
            workers: how many, or groups of them, are measured at the same time.
        """
        self.total, self._known, self._workers = total, known, workers
        self.done, self.failed, self._seconds = 0, 0, []
        self._asked = self._last = time.monotonic()

    def on_evaluation(self, progress: Progress, evaluation: Evaluation) -> None:
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
        if self.folder is not None:
            rows.append((self.place, str(self.folder)))
        for name, value in rows:
            grid.add_row(name, Text(value) if isinstance(value, str) else value)
        return Panel(grid, title=Text(self.title.text), expand=False)

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


def can_redraw(console: Console) -> bool:
    """Return whether what is printed can be replaced: on a terminal, and in a notebook that has ipywidgets."""
    return console.is_terminal and (not console.is_jupyter or find_spec("ipywidgets") is not None)


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
