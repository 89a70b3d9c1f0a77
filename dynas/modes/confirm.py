"""Measuring a front again: among many noisy measurements the lucky ones make the front, and flatter it.

`scripts/benchmarks/confirm.py` shows by how much, and why members are measured until the front stays the same and every
measurement counts alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dynas.core.activity import doing
from dynas.core.evaluation import Evaluation
from dynas.core.evaluator import Evaluator
from dynas.core.executor import Executor, measured
from dynas.core.objectives import Objective, Values
from dynas.core.pareto import non_dominated
from dynas.core.problem import Problem, make_batch
from dynas.runs.confirmed import averaged


class Kept(Protocol):
    """Where further measurements are kept, such as a `dynas.runs.store.RunStore` of the noisy objectives."""

    @property
    def history(self) -> Sequence[Evaluation]:
        """All of them, in order."""
        ...

    def append(self, evaluation: Evaluation) -> None:
        """Keep one for good before anything else happens."""
        ...


def confirm(
    evaluate: Evaluator,
    noisy: Sequence[Objective],
    executor: Executor,
    kept: Kept,
    times: int,
    told: Callable[[Evaluation, int], None] = lambda evaluation, left: None,
) -> None:
    """Measure every member of the front ``times`` more times, newcomers to the front included.

    A member whose mean moves behind others makes room for candidates just behind the front, which are measured again in
    their turn; it ends when the front has no member left to measure. What ``kept`` holds already is not paid for twice.

    Args:
        evaluate: what the search measured.
        noisy: the objectives whose measurements vary.
        executor: measures just these.
        kept: where the measurements go; an evaluation's iteration is the how-manieth of its sub-network it is.
        times: further measurements of each member.
        told: is told of each, and how many the present front still needs afterwards.
    """
    history, problem = evaluate.history, evaluate.problem
    keys = [evaluation.key for evaluation in history]
    first = np.array([evaluation.measurement.values for evaluation in history], dtype=float)
    columns = [column for column, objective in enumerate(problem.objectives) if objective in noisy]
    again: dict[str, list[tuple[float, ...]]] = {}
    for evaluation in kept.history:
        again.setdefault(evaluation.key, []).append(evaluation.measurement.values)
    while history:
        front = front_rows(problem, evaluate.measured.genotypes, averaged(first, keys, columns, again))
        rows = [row for row in front if len(again.get(keys[row], ())) < times]
        if not rows:
            return
        total = len(kept.history) + sum(times - len(again.get(keys[row], ())) for row in rows)
        genotypes = np.array([history[row].genotype for row in rows])
        with doing("confirming") as activity:
            activity.step(len(kept.history) + 1, total)
            for genotype, measurement in measured(executor, genotypes):
                key = problem.space.key(genotype)
                mine = again.setdefault(key, [])
                now = datetime.now(UTC).isoformat(timespec="milliseconds")
                place = len(kept.history) + 1, len(mine) + 1
                evaluation = Evaluation(*place, key, genotype, measurement, now)
                kept.append(evaluation)
                mine.append(measurement.values)
                told(evaluation, total - len(kept.history))
                activity.step(min(len(kept.history) + 1, total), total)


def front_rows(problem: Problem, genotypes: NDArray[np.int64], values: Values) -> NDArray[np.int64]:
    """Return the rows of values ``(n, M)`` that are non-dominated, measured and within all bounds, in order."""
    batch = make_batch(problem, genotypes, values)
    allowed = np.flatnonzero(batch.measured & (batch.violation <= 0))
    return allowed[non_dominated(batch.losses[allowed])]
