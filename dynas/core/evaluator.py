"""Measured evaluations: the only door to real measurements.

A measured and a predicted evaluation share one signature, ``genotypes (n, G) -> Batch``, so that an algorithm
cannot tell them apart.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynas.core.evaluation import Evaluation, Measurement, Observer, Pending, Store
from dynas.core.known import Examples
from dynas.core.objectives import Values
from dynas.core.problem import Batch, Problem, concatenate, make_batch
from dynas.core.space import Genotypes
from dynas.core.stopping import Stopping
from dynas.errors import DynasError

if TYPE_CHECKING:
    from dynas.core.executor import Executor


class Evaluator:
    """Measures candidates, each distinct sub-network once, until the budget is spent.

    Writes first and answers second: an evaluation is in the store before the algorithm hears of it. Rows that
    the store already holds are answered from there and count as if they had been measured now, which is all
    that resuming needs. Several workers may finish in any order: an evaluation's index is its place in the order
    of asking, so that the results do not depend on it.

    Args:
        problem: space and objectives.
        executor: measures candidates.
        budget: number of distinct sub-networks that may be measured.
        store: where rows go, or None.
        observer: who is told of every row, or None.
        stopping: what may end the run before the budget does.
        extended: whether the store is of this search with a smaller budget, which may have cut its last round short.
        known: what predictors may learn from beside the evaluations; it costs no budget.

    Attributes:
        history: everything evaluated so far, in the order of asking.
        iteration: how often something new was asked for.
    """

    def __init__(
        self,
        problem: Problem,
        executor: Executor,
        budget: int,
        store: Store | None = None,
        observer: Observer | None = None,
        stopping: Stopping | None = None,
        extended: bool = False,
        known: Examples | None = None,
    ) -> None:
        self.problem = problem
        self.budget = budget
        self.stopping = stopping or Stopping()
        self.known: Examples = known or {}
        self.iteration = 0
        self.history: list[Evaluation] = []
        self._executor = executor
        self._store = store
        self._observer = observer
        self._extended = extended
        self._stored = {one.index: one for one in store.history} if store else {}
        self._asked = 0
        self._values: dict[str, tuple[float, ...]] = {}
        self._pending: dict[str, Pending] = {}
        self._front = self._batch([])

    @property
    def workers(self) -> int:
        """Number of candidates, or groups of them, that are measured at the same time."""
        return self._executor.workers

    @property
    def remaining(self) -> int:
        """Number of further sub-networks that may be measured."""
        return 0 if self.stopping.reason else self.budget - len(self.history) - len(self._pending)

    @property
    def measured(self) -> Batch:
        """Everything evaluated so far, in order."""
        return self._batch(self.history)

    @property
    def pending(self) -> Genotypes:
        """Canonical genotypes ``(n, G)`` that are being measured, in the order of asking."""
        return self._rows([pending.genotype for pending in self._pending.values()])

    def seen(self) -> set[bytes]:
        """Return the identities (bytes of canonical genotypes) of everything evaluated or being measured."""
        evaluated = {evaluation.genotype.tobytes() for evaluation in self.history}
        return evaluated | {pending.genotype.tobytes() for pending in self._pending.values()}

    def __call__(self, genotypes: Genotypes) -> Batch:
        """Evaluate genotypes ``(n, G)``, in order.

        Returns the candidates that are known afterwards: all of them, unless the budget or the time ran out.
        """
        space = self.problem.space
        rows = space.canonical(space.check(genotypes))
        self.submit(rows)
        while self._pending:
            self.collect()
        keys = space.keys(rows)
        known = [index for index, key in enumerate(keys) if key in self._values]
        return make_batch(self.problem, rows[known], self._table([self._values[keys[index]] for index in known]))

    def submit(self, genotypes: Genotypes) -> None:
        """Start to measure those of canonical genotypes ``(n, G)`` that are new, as far as the budget goes."""
        new = self._places(genotypes)
        if other := self._misplaced(new):
            if not (self._extended and self._store and self.iteration + 1 == self._store.history[-1].iteration):
                raise DynasError(
                    f"evaluation {other.index} is stored as {other.key}, which this search would not ask for there: "
                    "another version, another machine or an edited file chose it; "
                    "start a new run, with warm_start=<the run folder> to begin from its front"
                )
            self.adopt()  # the round that the smaller budget has cut short
            new = self._places(genotypes)
        if not new:
            return
        self._asked += len(new)
        self.iteration += 1
        self._pending |= new
        stored = {key: found for key in new if self._store is not None and (found := self._store.find(key))}
        self._remember(list(stored.values()))
        self._executor.submit(self._rows([pending.genotype for key, pending in new.items() if key not in stored]))

    def _places(self, genotypes: Genotypes) -> dict[str, Pending]:
        """Return, by key, those of canonical genotypes ``(n, G)`` that are new and paid for, with their places."""
        new: dict[str, Pending] = {}
        for key, row in zip(self.problem.space.keys(genotypes), genotypes, strict=True):
            if key not in self._values and key not in self._pending and key not in new and len(new) < self.remaining:
                new[key] = Pending(self._asked + len(new) + 1, self.iteration + 1, row)
        return new

    def _misplaced(self, new: Mapping[str, Pending]) -> Evaluation | None:
        """Return the stored evaluation that stands elsewhere than this search asks for it, if there is one."""
        if self._store is None:
            return None
        for key, pending in new.items():
            there, here = self._stored.get(pending.index), self._store.find(key)
            if there and there.key != key:
                return there
            if here and here.index != pending.index:
                return here
        return None

    def adopt(self) -> None:
        """Take over everything that the store holds, as far as the budget goes, whoever would have asked for it."""
        stored = [one for one in self._store.history if one.key not in self._values] if self._store else []
        stored = stored[: self.remaining]
        self._pending |= {one.key: Pending(one.index, one.iteration, one.genotype) for one in stored}
        self._asked = max([self._asked, *(one.index for one in stored)])
        self.iteration = max([self.iteration, *(one.iteration for one in stored)])
        self._remember(stored)

    def collect(self) -> Batch:
        """Wait until something that was submitted is measured, and return it; empty if nothing is left.

        Once the time is over, what has not begun is given up.
        """
        if self._pending and self.stopping.out_of_time():
            for row in self._executor.cancel():
                del self._pending[self.problem.space.key(row)]
        if not self._pending:
            return self._batch([])
        found = [self._write(row, measurement) for row, measurement in self._executor.collect()]
        return self._batch(found)

    def _write(self, row: NDArray[np.int64], measurement: Measurement) -> Evaluation:
        key = self.problem.space.key(row)
        place = self._pending[key]
        timestamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        evaluation = Evaluation(place.index, place.iteration, key, row, measurement, timestamp)
        if self._store is not None:
            self._store.append(evaluation)
        self._remember([evaluation])
        return evaluation

    def _remember(self, evaluations: Sequence[Evaluation]) -> None:
        for evaluation in evaluations:
            del self._pending[evaluation.key]
            insort(self.history, evaluation, key=attrgetter("index"))
            self._values[evaluation.key] = evaluation.measurement.values
            if self._observer is not None:
                self._observer.evaluated(evaluation)
        self.stopping.hear([evaluation.measurement.error for evaluation in evaluations])
        self._front = concatenate([self._front, self._batch(evaluations)]).front()
        if not self._pending:
            self.stopping.watch(self._front.losses)

    def _batch(self, evaluations: Sequence[Evaluation]) -> Batch:
        rows = self._rows([evaluation.genotype for evaluation in evaluations])
        return make_batch(self.problem, rows, self._table([one.measurement.values for one in evaluations]))

    def _rows(self, genotypes: Sequence[NDArray[np.int64]]) -> Genotypes:
        return np.array(genotypes, dtype=np.int64).reshape(-1, self.problem.space.n_genes)

    def _table(self, values: Sequence[Sequence[float]]) -> Values:
        return np.array(values, dtype=float).reshape(-1, len(self.problem.objectives))
