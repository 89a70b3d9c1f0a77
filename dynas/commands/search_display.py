"""What a user sees of a search, and what is kept of its predictors."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from rich.console import Console

from dynas.commands.display import Display, numbers_text
from dynas.core.evaluation import Evaluation, PredictorQuality
from dynas.core.pareto import hypervolume, non_dominated
from dynas.core.problem import Problem, make_batch
from dynas.metrics.measurer import EXTRACTING, measuring
from dynas.runs.names import PREDICTORS
from dynas.system.files import number, write_csv

log = logging.getLogger(__name__)


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
