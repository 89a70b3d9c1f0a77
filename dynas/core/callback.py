"""Who hears of a search while it runs, and what is known of it by then."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dynas.core.evaluation import Evaluation, PredictorQuality
from dynas.core.objectives import Values
from dynas.core.pareto import hypervolume, non_dominated
from dynas.core.problem import Problem, make_batch
from dynas.core.stopping import Stopping
from dynas.errors import DynasError, DynasWarning, one_of, reason

log = logging.getLogger(__name__)

ON_ERROR = ("stop", "log")
Quality = tuple[int, PredictorQuality]  # iteration after which a predictor was trained, and its errors


@dataclass(eq=False)
class Progress:
    """A search under way, or at its end.

    Attributes:
        problem: space, objectives and constraints.
        budget: distinct sub-networks that may be measured.
        folder: the run folder, or None.
        facts: what run.json says of the run from its start on; empty without a folder.
        evaluations: what was measured or remembered, in the order in which it was known.
        iteration: iteration of the last of them, from 1; 0 before there is any.
        qualities: errors of predictors.
        front: losses ``(n, M)`` of the front, lower is better.
        status: ``running``, ``finished``, ``interrupted`` or ``failed``.
        stopped: why the search ended before its budget was spent, else empty.
    """

    problem: Problem
    budget: int
    folder: Path | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    evaluations: list[Evaluation] = field(default_factory=list)
    iteration: int = 0
    qualities: list[Quality] = field(default_factory=list)
    status: str = "running"
    stopped: str = ""

    def __post_init__(self) -> None:
        self.front: Values = np.empty((0, len(self.problem.objectives)))
        self._worst = np.full(len(self.problem.objectives), -np.inf)
        self._volume = (0, 0.0)  # the hypervolume after so many evaluations

    @property
    def hypervolume(self) -> float:
        """That of the front, up to the worst value of each objective measured so far; 0 without a front."""
        if self._volume[0] != len(self.evaluations):
            self._volume = len(self.evaluations), hypervolume(self.front, self._worst) if len(self.front) else 0.0
        return self._volume[1]

    @property
    def last_qualities(self) -> list[PredictorQuality]:
        """Errors of the predictors that were trained last, one per measured objective."""
        measured = sum(not objective.exact for objective in self.problem.objectives)
        return [quality for _, quality in self.qualities[-measured:]] if measured else []

    def add(self, evaluation: Evaluation) -> None:
        """Count an evaluation in."""
        self.evaluations.append(evaluation)
        self.iteration = evaluation.iteration
        batch = make_batch(self.problem, evaluation.genotype[None], np.array([evaluation.measurement.values]))
        if batch.measured[0]:
            self._worst = np.maximum(self._worst, batch.losses[0])
            if batch.violation[0] <= 0:
                joined = np.vstack([self.front, batch.losses])
                self.front = joined[non_dominated(joined)]


class Callback(Protocol):
    """Hears of a search. A class that inherits from it needs only those methods that do something."""

    def on_evaluation(self, progress: Progress, evaluation: Evaluation) -> None:
        """Hear of an evaluation, which is safe on disk by now; of a run that goes on, those before come first."""
        return

    def on_iteration(self, progress: Progress) -> None:
        """Hear that an iteration is over, and how good the predictors are that were trained after it.

        Where candidates are chosen one by one (``rounds=asynchronous``), each of them is an iteration.
        """
        return

    def on_end(self, progress: Progress) -> None:
        """Hear that the search is over, however it ended; its files are written by now."""
        return


class Callbacks:
    """Tells callbacks of a search, in their order (see `dynas.core.evaluation.Observer`).

    Args:
        callbacks: who hears of it.
        progress: the search.
        stopping: ends the search where a callback fails.
        on_error: what becomes of the search where a callback raises: ``stop`` ends it as if its budget were spent, so
            that everything measured stays; ``log`` goes on with a warning.

    Raises:
        DynasError: another ``on_error``, or something that is no callback.
    """

    def __init__(
        self, callbacks: Sequence[Callback], progress: Progress, stopping: Stopping, on_error: str = "stop"
    ) -> None:
        if on_error not in ON_ERROR:
            raise one_of("on_error", on_error, ON_ERROR)
        for one in callbacks:
            if missing := [name for name in vars(Callback) if name.startswith("on_") and not hasattr(one, name)]:
                raise DynasError(f"the callback {type(one).__name__} has no {missing[0]}: let it inherit from Callback")
        self.progress = progress
        self._callbacks, self._stopping, self._on_error = list(callbacks), stopping, on_error
        self._told = 0  # the last iteration whose end was told

    def evaluated(self, evaluation: Evaluation) -> None:
        """Hear of a measured or remembered evaluation."""
        if evaluation.iteration > self.progress.iteration:
            self._end_iteration()
        self.progress.add(evaluation)
        self._tell(lambda one: one.on_evaluation(self.progress, evaluation))

    def fitted(self, iteration: int, quality: Sequence[PredictorQuality]) -> None:
        """Hear of the predictors that were trained after an iteration."""
        self.progress.qualities += [(iteration, one) for one in quality]
        self._end_iteration()

    def ended(self, status: str) -> None:
        """Hear that the search is over."""
        self._end_iteration()
        self.progress.status, self.progress.stopped = status, self._stopping.reason
        self._tell(lambda one: one.on_end(self.progress))

    def _end_iteration(self) -> None:
        if self.progress.iteration > self._told:
            self._told = self.progress.iteration
            self._tell(lambda one: one.on_iteration(self.progress))

    def _tell(self, told: Callable[[Callback], None]) -> None:
        for one in self._callbacks:
            try:
                told(one)
            except Exception as error:  # a user's class may raise anything
                failed = f"the callback {type(one).__name__} raised {reason(error)}"
                log.warning(failed, exc_info=error)
                if self._on_error == "stop" and self.progress.status == "running":
                    self._stopping.reason = self._stopping.reason or failed
                else:
                    warnings.warn(failed, DynasWarning, stacklevel=2)
