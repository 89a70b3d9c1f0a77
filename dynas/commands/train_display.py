"""What a user sees of a training."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from dynas.commands.sweep import heading
from dynas.display.display import LONG, Display, clock_text, duration_text
from dynas.training.plan import Phase, seconds_left
from dynas.training.ranking import Validation
from dynas.training.training import Training

RECENT = 50  # steps whose mean loss and pace are shown


class TrainingDisplay(Display):
    """Shows the plan of a training, then its steps, their pace and loss, and what was measured on the way.

    Args:
        folder, console: see `Display`.
        training: what is shown.
        validation: when sub-networks are measured.
    """

    def __init__(
        self, folder: Path, training: Training, validation: Validation, console: Console | None = None
    ) -> None:
        super().__init__(folder, heading(), console, "steps")
        self._training, self._validation = training, validation
        self._plan: Sequence[Phase] = ()
        self._times: list[float] = []  # when the last steps of the epoch ended
        self._trained = 0.0  # seconds of the steps so far
        self._first = training.epochs  # epochs of an earlier start
        self._look = 0.0  # seconds of the last measurement

    def show(self, plan: Sequence[Phase]) -> None:
        """Say how long the epochs that are missing will take, where that is worth a sentence."""
        self._plan = plan
        training = self._training
        self.begin(training.steps * (training.recipe.epochs - training.epochs))
        seconds = seconds_left(plan, training.epochs)
        if seconds < LONG:
            return
        parts = [
            f"{phase_text(phase)} in about {duration_text(phase.epochs * phase.seconds)}"
            for phase in plan
            if phase.last >= training.epochs
        ]
        begun = f"; {training.epochs} epochs are done" if training.epochs else ""
        self.say(f"plan: {', then '.join(parts)}{begun}; about {duration_text(seconds)} without what is measured")

    def stepped(self, losses: Sequence[float]) -> None:
        """Count a step, the last one of an epoch's losses so far."""
        recent, now = losses[-RECENT:], time.monotonic()
        self.more["loss"] = f"{sum(recent) / len(recent):.3f}"
        self._times = [*self._times[-RECENT:], now]
        if len(self._times) > 1:
            self._trained += now - self._times[-2]
            pace = (len(self._times) - 1) / (self._times[-1] - self._times[0])
            self.more["pace"] = f"{pace:.2f} steps/s of {self._training.recipe.batch_size:,}"
        self.count()

    def finished(self, row: Mapping[str, float], seconds: float) -> None:
        """Hear what an epoch brought, and how long measuring took after it."""
        training, epoch = self._training, int(row["epoch"])
        if "largest" in row:
            self._look = seconds
        self._times = []
        measured = ", ".join(
            f"{name} {row[name]:.2f}" for name in ("smallest", "median", "largest", "tau") if name in row
        )
        if measured:
            self.more["measured"] = measured
        if not self.console.is_terminal:
            said = f"; {measured}" if measured else ""
            self.say(f"epoch {epoch} / {training.recipe.epochs}: mean loss {row['loss']:.3f}{said}")

    def left_text(self) -> str:
        """Return how long it will take to the last epoch, by the plan and by how well it has been kept so far."""
        if not self._plan:
            return "not known yet"
        training = self._training
        epochs = self._first + self.done / training.steps
        left = seconds_left(self._plan, epochs)
        planned = seconds_left(self._plan, self._first) - left
        if self.done > RECENT:  # before, the plan knows better
            left *= self._trained / planned
        missing = range(training.epochs + 1, training.recipe.epochs + 1)
        looks = sum(self._validation.due(epoch, training.recipe.epochs) for epoch in missing)
        return clock_text(left + looks * self._look)


def phase_text(phase: Phase) -> str:
    """Return what a phase trains, and for how many epochs."""
    epochs = f"{phase.epochs} {'epoch' if phase.epochs == 1 else 'epochs'}"
    if not phase.elastic:
        return f"{epochs} of the largest sub-network alone"
    of = "all sub-networks" if phase.everything else f"those that differ in {', '.join(phase.elastic)}"
    return f"{epochs} of {of}"
