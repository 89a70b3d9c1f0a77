"""Measured evaluations: the only door to real measurements.

A measured and a predicted evaluation share one signature, ``genotypes (n, G) -> Batch``, so that an algorithm
cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dynas.objectives import Objective, Values, losses, violation
from dynas.pareto import non_dominated
from dynas.space import Genotypes, SearchSpace
from dynas.stopping import Stopping

ExactCount = Callable[[Genotypes], NDArray[np.int64] | Values]


@dataclass(frozen=True)
class Problem:
    """What is searched: a space, objectives, and functions for those that need no measurement.

    Attributes:
        space: the sub-networks.
        objectives: ``M`` objectives, in column order.
        exact: per exact objective, the function from canonical genotypes ``(n, G)`` to values ``(n,)``.
    """

    space: SearchSpace
    objectives: tuple[Objective, ...]
    exact: Mapping[str, ExactCount] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """Answered candidates: canonical ``genotypes`` (n, G), ``losses`` (n, M) and ``violation`` (n,).

    A candidate that could not be measured has NaN losses and an infinite violation.
    """

    genotypes: Genotypes
    losses: Values
    violation: Values

    def __len__(self) -> int:
        return len(self.genotypes)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Mask ``(n,)`` of candidates that have losses."""
        return np.asarray(np.isfinite(self.losses).all(axis=1))

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Batch:
        """Return the batch of some rows."""
        return Batch(self.genotypes[rows], self.losses[rows], self.violation[rows])

    def front(self) -> Batch:
        """Return the non-dominated among the measured candidates within all bounds."""
        allowed = self.select(self.measured & (self.violation <= 0))
        return allowed.select(non_dominated(allowed.losses))


def make_batch(problem: Problem, genotypes: Genotypes, values: Values) -> Batch:
    """Turn values ``(n, M)`` of canonical genotypes ``(n, G)`` into a batch; NaN marks a failed candidate."""
    failed = np.asarray(~np.isfinite(values).all(axis=1))
    beyond = np.where(failed, np.inf, violation(problem.objectives, np.where(failed[:, None], 0.0, values)))
    return Batch(genotypes, np.where(failed[:, None], np.nan, losses(problem.objectives, values)), beyond)


@dataclass(frozen=True)
class Measurement:
    """What measuring one sub-network gave.

    Attributes:
        values: one value per objective, NaN where unmeasured.
        extras: further columns, such as a latency's spread.
        seconds: wall time that it took.
        error: the reason where it failed, else empty.
    """

    values: tuple[float, ...]
    extras: Mapping[str, float | str] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Evaluation:
    """One row of results.csv: a measurement with its place in the run."""

    index: int
    iteration: int
    key: str
    genotype: NDArray[np.int64]
    measurement: Measurement
    timestamp: str


Measure = Callable[[Genotypes], Iterator[Measurement]]


class Store(Protocol):
    """Where evaluations are kept."""

    def find(self, key: str) -> Evaluation | None:
        """Return the evaluation of a sub-network, if it was measured before."""
        ...

    def append(self, evaluation: Evaluation) -> None:
        """Keep an evaluation for good before anything else happens."""
        ...


class Observer(Protocol):
    """Someone who watches a search."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """Hear of a measured or remembered evaluation."""
        ...

    def fitted(self, iteration: int, quality: Sequence[PredictorQuality]) -> None:
        """Hear of the predictors that were trained in an iteration."""
        ...


@dataclass(frozen=True)
class PredictorQuality:
    """Cross-validated errors of one objective's predictor on all measurements so far.

    Attributes:
        objective: name of the objective.
        examples: number of measurements.
        mape: mean absolute percentage error, in percent.
        kendall_tau: rank correlation between prediction and measurement.
    """

    objective: str
    examples: int
    mape: float
    kendall_tau: float


class Evaluator:
    """Measures candidates, each distinct sub-network once, until the budget is spent.

    Writes first and answers second: an evaluation is in the store before the algorithm hears of it. Rows that
    the store already holds are answered from there and count as if they had been measured now, which is all
    that resuming needs.

    Args:
        problem: space and objectives.
        measure: yields one `Measurement` per canonical genotype ``(n, G)``, in order.
        budget: number of distinct sub-networks that may be measured.
        store: where rows go, or None.
        observer: who is told of every row, or None.
        stopping: what may end the run before the budget does.
    """

    def __init__(
        self,
        problem: Problem,
        measure: Measure,
        budget: int,
        store: Store | None = None,
        observer: Observer | None = None,
        stopping: Stopping | None = None,
    ) -> None:
        self.problem = problem
        self.budget = budget
        self.stopping = stopping or Stopping()
        self.iteration = 0
        self.history: list[Evaluation] = []
        self._measure = measure
        self._store = store
        self._observer = observer
        self._values: dict[str, tuple[float, ...]] = {}

    @property
    def remaining(self) -> int:
        """Number of further sub-networks that may be measured."""
        return 0 if self.stopping.reason else self.budget - len(self.history)

    @property
    def measured(self) -> Batch:
        """Everything evaluated so far, in order."""
        genotypes = [evaluation.genotype for evaluation in self.history]
        values = [evaluation.measurement.values for evaluation in self.history]
        return make_batch(
            self.problem,
            np.array(genotypes, dtype=np.int64).reshape(-1, self.problem.space.n_genes),
            np.array(values, dtype=float).reshape(-1, len(self.problem.objectives)),
        )

    def seen(self) -> set[bytes]:
        """Return the identities (bytes of canonical genotypes) of everything evaluated so far."""
        return {evaluation.genotype.tobytes() for evaluation in self.history}

    def __call__(self, genotypes: Genotypes) -> Batch:
        """Evaluate genotypes ``(n, G)``, in order.

        Returns the candidates that are known afterwards: all of them, unless the budget or the time ran out.
        """
        space = self.problem.space
        rows = space.canonical(space.check(genotypes))
        keys = [space.key(row) for row in rows]
        new = {key: row for key, row in zip(keys, rows, strict=True) if key not in self._values}
        new = dict(list(new.items())[: self.remaining])
        if new:
            self.iteration += 1
            self._evaluate(new)
            self.stopping.watch(self.measured.front().losses)
        known = [index for index, key in enumerate(keys) if key in self._values]
        values = [self._values[keys[index]] for index in known]
        return make_batch(
            self.problem, rows[known], np.array(values, dtype=float).reshape(-1, len(self.problem.objectives))
        )

    def _evaluate(self, new: Mapping[str, NDArray[np.int64]]) -> None:
        stored = {key: found for key in new if self._store is not None and (found := self._store.find(key))}
        missing = [row for key, row in new.items() if key not in stored]
        measurements = self._measure(np.array(missing)) if missing else iter(())
        for key, row in new.items():
            if key not in stored and self.stopping.out_of_time():
                return
            evaluation = stored.get(key) or self._write(key, row, next(measurements))
            self.history.append(evaluation)
            self._values[key] = evaluation.measurement.values
            if self._observer is not None:
                self._observer.evaluated(evaluation)

    def _write(self, key: str, row: NDArray[np.int64], measurement: Measurement) -> Evaluation:
        timestamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        evaluation = Evaluation(len(self.history) + 1, self.iteration, key, row, measurement, timestamp)
        if self._store is not None:
            self._store.append(evaluation)
        return evaluation


def reason(error: Exception) -> str:
    """Return an error as one line of text."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
