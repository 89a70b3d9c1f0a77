"""What a user sees of a search."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from dynas.core.callback import Progress
from dynas.core.evaluation import Evaluation, PredictorQuality
from dynas.display.display import Display, Title, numbers_text
from dynas.metrics.measurer import EXTRACTING, measuring

log = logging.getLogger(__name__)


class SearchDisplay(Display):
    """Shows a search: its front and predictors as well, and a line per iteration where it is piped.

    Args:
        folder, title, console: see `Display`.
    """

    def __init__(self, folder: Path | None, title: Title, console: Console | None = None) -> None:
        super().__init__(folder, title, console)
        self._progress: Progress | None = None
        self._noisy: Sequence[str] = ()
        self._times = 0
        self._logged = 0  # errors of predictors
        self._again: list[float] = []  # seconds of measurements of members of the front
        self._left = 0

    def begin(self, total: int, known: int = 0, workers: int = 1) -> None:
        """Hear that measuring begins, see `Display`."""
        super().begin(total, known, workers)
        self._progress, self._logged, self._again = None, 0, []

    def expect_confirming(self, noisy: Sequence[str], times: int) -> None:
        """Hear which objectives are measured again for members of the front, and how often."""
        self._noisy, self._times = noisy, times if noisy else 0

    def on_evaluation(self, progress: Progress, evaluation: Evaluation) -> None:
        """Count an evaluation in."""
        self._progress = progress
        super().on_evaluation(progress, evaluation)

    def on_iteration(self, progress: Progress) -> None:
        """Log the errors of predictors, and say how far the search is where the output is piped."""
        for iteration, one in progress.qualities[self._logged :]:
            log.info("predictor of %s after iteration %d: %s", one.objective, iteration, describe(one))
        self._logged = len(progress.qualities)
        if not self.redrawn:
            self._say_iteration(progress)

    def confirmed(self, evaluation: Evaluation, left: int) -> None:
        """Count a further measurement of a member of the front, which needs ``left`` more."""
        self._count_again("confirmation", evaluation, left)

    def begin_tuning(self, members: int, steps: int) -> None:
        """Say that so many sub-networks are tuned, one after the other."""
        self._again, self._left, self._workers, self._times = [], 0, 1, 0
        self.say(f"tuning {members} sub-network{'s' * (members != 1)}, {steps} steps each")

    def tuned(self, evaluation: Evaluation, left: int) -> None:
        """Count a sub-network that was tuned and measured again, after which ``left`` are to come."""
        self._count_again("tuning", evaluation, left)

    def _count_again(self, what: str, evaluation: Evaluation, left: int) -> None:
        measurement = evaluation.measurement
        self._last = time.monotonic()
        self._again.append(measurement.seconds)
        self._left = left
        if measurement.error:
            log.warning("%s %d failed: %s", what, evaluation.index, measurement.error)
        log.info("%s %d: %s %s", what, evaluation.index, evaluation.key, numbers_text(measurement.values))

    def facts(self) -> list[tuple[str, str]]:
        """Return names and values of what the panel shows besides."""
        known = self._progress
        if known is None:
            return []
        return [
            ("iteration", str(known.iteration)),
            ("hypervolume", f"{known.hypervolume:.6g}"),
            ("front", f"{len(known.front)} sub-networks"),
            *((f"predictor of {one.objective}", describe(one)) for one in known.last_qualities),
        ]

    def missing(self) -> int:
        """Return how many evaluations are still to come: none once the front is measured again."""
        return 0 if self._again else super().missing()

    def confirming(self) -> float:
        """Return how many seconds measuring members of the front again will take."""
        if self._again:
            return self._left * float(np.mean(self._again)) / self._workers
        if not self._noisy or self._progress is None:
            return 0.0
        spent = self._journal.seconds
        again = sum(spent.get(what, 0.0) for what in (EXTRACTING, *map(measuring, self._noisy)))
        fresh = self.done - self._known
        each = again / fresh if again and fresh > 0 else float(np.mean(self._seconds)) / self._workers
        return self._times * len(self._progress.front) * each

    def _say_iteration(self, progress: Progress) -> None:
        errors = "; ".join(f"{one.objective} {describe(one)}" for one in progress.last_qualities)
        self.say(
            f"iteration {progress.iteration}: {self.done}/{self.total} evaluations, "
            f"hypervolume {progress.hypervolume:.6g}, {np.mean(self._seconds):.2f} s each, "
            f"{self.left_text()} left" + (f"; predictors: {errors}" if errors else "")
        )


def describe(quality: PredictorQuality) -> str:
    """Return a predictor's cross-validated errors in words."""
    return f"MAPE {quality.mape:.2f} %, Kendall tau {quality.kendall_tau:.3f}"
