"""The search of a compression: what each change does, plain allocations, and from there on another mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dynas.compressing.allocation import by_threshold, evenly, first_that_fits
from dynas.compressing.limits import Limit
from dynas.compressing.sensitivity import Change, changes, losses_of
from dynas.compressing.timing import Clock
from dynas.core.activity import doing
from dynas.core.algorithm import AlgorithmFactory
from dynas.core.evaluation import Observer
from dynas.core.evaluator import Evaluator
from dynas.core.mode import Predictors, SearchMode
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.errors import DynasError

THRESHOLD, UNIFORM = "threshold", "uniform"
TOGETHER = 10  # changes between two looks at the clock


@dataclass
class Compressing:
    """Measures the original and each of its changes, what plain rules choose of these, and searches on from there.

    Attributes:
        limits: the loosest first.
        shares: the design variable of the shares of channels.
        inner: what searches.
        clock: says when measuring changes has to end.
        plain: by limit and rule, the genotype that it chose; known after `run`.
    """

    limits: Sequence[Limit]
    shares: str
    inner: SearchMode
    clock: Clock
    plain: dict[tuple[str, str], NDArray[np.int64]] = field(default_factory=dict)

    def check(self, problem: Problem, make_algorithm: AlgorithmFactory) -> None:
        """Raise DynasError where what searches cannot handle the problem."""
        self.inner.check(problem, make_algorithm)

    def run(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        make_predictors: Predictors,
        rng: np.random.Generator,
        observer: Observer | None = None,
        start: Genotypes | None = None,
    ) -> None:
        """Measure, allocate, search (see `dynas.core.mode.SearchMode`)."""
        evaluate.adopt()  # time decides what is asked for, so that a run that goes on cannot ask for the same again
        made = changes(evaluate.problem.space)
        self._measure_changes(evaluate, made)
        self._allocate(evaluate, made)
        if evaluate.remaining:
            self.inner.run(evaluate, make_algorithm, make_predictors, rng, observer, evaluate.measured.genotypes)

    def _measure_changes(self, evaluate: Evaluator, made: Sequence[Change]) -> None:
        known = evaluate.seen()
        with doing("sensitivity, change") as activity:
            for first in range(0, len(made), TOGETHER):
                rows = np.stack([change.genotype for change in made[first : first + TOGETHER]])
                activity.step(min(first + TOGETHER, len(made)), len(made))
                if first and not self.clock.left("sensitivity") and not {row.tobytes() for row in rows} & known:
                    return
                evaluate(rows)

    def _allocate(self, evaluate: Evaluator, made: Sequence[Change]) -> None:
        """Choose by plain rules; raise DynasError where nothing that they reach is within a limit."""
        problem, space = evaluate.problem, evaluate.problem.space
        known, original = evaluate.measured, evaluate(problem.original[None])  # type: ignore[index]
        names = [one.name for one in problem.objectives]
        values = dict(zip(names, evaluate.history[0].measurement.values, strict=True))

        def cost(row: NDArray[np.int64], name: str) -> float:
            if name in problem.exact:
                return float(problem.exact[name](row[None])[0])
            evaluate(row[None])
            key = space.key(row)
            found = next((one for one in evaluate.history if one.key == key), None)
            return np.inf if found is None else found.measurement.values[names.index(name)]

        rules = {THRESHOLD: by_threshold(space, losses_of(space, made, known, original)), UNIFORM: evenly(space, self.shares)}
        for limit in self.limits:
            bounds = limit.bounds(values)
            for rule, rows in rules.items():
                with doing(f"allocating by {rule}"):
                    row = first_that_fits(rows, lambda row: all(cost(row, name) <= most for name, most in bounds.items()))
                if row is not None:
                    evaluate(row[None])
                    self.plain[limit.text, rule] = row
                elif rule == THRESHOLD and not evaluate.stopping.reason:
                    least = " and ".join(f"{name} {cost(rows[-1], name) / values[name]:.2g}x" for name in bounds)
                    raise DynasError(
                        f"limit={limit.text}: the smallest sub-network has {least} of the original's; give a looser "
                        "limit, or smaller supernet.shares"
                    )
