"""The first measurements of a compression: the original, what each change of it does, what plain rules choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

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
from dynas.core.mode import Predictors
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.errors import DynasError

THRESHOLD, UNIFORM = "threshold", "uniform"
TOGETHER = 10  # changes between two looks at the clock
TIGHTER = 2  # further choices of a rule, in case the first is beyond the limit when it is measured once more


@dataclass
class Sensitivity:
    """Measures each change of the original by itself, and what plain rules choose within each limit.

    Attributes:
        limits: the loosest first.
        shares: the design variable of the shares of channels.
        clock: says when measuring changes has to end.
        plain: by limit and rule, the genotypes ``(n, G)`` that it chose, the loosest first; known after `run`.
    """

    limits: Sequence[Limit]
    shares: str
    clock: Clock
    plain: dict[tuple[str, str], Genotypes] = field(default_factory=dict)

    def check(self, problem: Problem, make_algorithm: AlgorithmFactory) -> None:
        """Accept any problem: no algorithm searches."""

    def run(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        make_predictors: Predictors,
        rng: np.random.Generator,
        observer: Observer | None = None,
        start: Genotypes | None = None,
    ) -> None:
        """Measure changes, then choose by plain rules (see `dynas.core.mode.SearchMode`)."""
        evaluate.adopt()  # time decides what is asked for, so that a run that goes on cannot ask for the same again
        made = changes(evaluate.problem.space)
        self._measure_changes(evaluate, made)
        self._allocate(evaluate, made)

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
        assert problem.original is not None
        original = costs(evaluate, problem.original)
        losses = losses_of(space, made, evaluate.measured, evaluate(problem.original[None]))
        rules = {THRESHOLD: by_threshold(space, losses), UNIFORM: evenly(space, self.shares)}
        for limit in self.limits:
            for rule, rows in rules.items():
                with doing(f"allocating by {rule}"):
                    place = first_that_fits(rows, partial(fits, limit, evaluate, original))
                    if place is not None:
                        self.plain[limit.text, rule] = rows[place : place + 1 + TIGHTER]
                        evaluate(self.plain[limit.text, rule])
            if not evaluate.stopping.reason and not any(text == limit.text for text, _ in self.plain):
                least = costs(evaluate, rules[THRESHOLD][-1])
                told = " and ".join(f"{name} {least[name] / original[name]:.2g}x" for name in limit.most)
                raise DynasError(
                    f"limit={limit.text}: cut as far as it can be, the network has {told} of the original's; give a "
                    "looser limit, or smaller supernet.shares"
                )


def fits(limit: Limit, evaluate: Evaluator, original: Mapping[str, float], row: NDArray[np.int64]) -> bool:
    """Return whether a canonical genotype ``(G,)`` is within a limit."""
    return limit.within(costs(evaluate, row), original)


def costs(evaluate: Evaluator, row: NDArray[np.int64]) -> dict[str, float]:
    """Return values of a canonical genotype ``(G,)`` by objective; it is measured unless all but the first are counted.

    What could not be measured is infinite.
    """
    problem = evaluate.problem
    found = {name: float(count(row[None])[0]) for name, count in problem.exact.items()}
    names = [one.name for one in problem.objectives]
    if all(name in found for name in names[1:]):
        return found
    evaluate(row[None])
    key = problem.space.key(row)
    values = next((one.measurement.values for one in evaluate.history if one.key == key), (np.nan,) * len(names))
    return found | {name: value if np.isfinite(value) else np.inf for name, value in zip(names, values, strict=True)}
