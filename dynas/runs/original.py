"""The original network as the first row of its run, and bounds that are shares of what it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from dynas.core.activity import doing
from dynas.core.evaluation import Evaluation, Measure, Store
from dynas.core.objectives import Objective
from dynas.core.problem import Problem
from dynas.errors import DynasError


class Remembered(Store):
    """Evaluations of a run that has no folder."""

    def __init__(self) -> None:
        self._history: list[Evaluation] = []

    @property
    def history(self) -> Sequence[Evaluation]:
        """All of them, in the order of asking."""
        return self._history

    def find(self, key: str) -> Evaluation | None:
        """Return the evaluation of a sub-network, if it was measured before."""
        return next((one for one in self._history if one.key == key), None)

    def append(self, evaluation: Evaluation) -> None:
        """Keep an evaluation."""
        self._history.append(evaluation)


def begun_with_original(problem: Problem, measure: Measure, store: Store) -> Problem:
    """Measure the original as the first of a run and return the problem with bounds in the objectives' units.

    A run that goes on has it already. One that began without it, being older, goes on without it.

    Args:
        problem: has an original.
        measure: measures candidates.
        store: where the evaluation goes.

    Raises:
        DynasError: the original fails, and bounds are shares of what it has; else it is a row as any that fails.
    """
    assert problem.original is not None
    key = problem.space.key(problem.original)
    if not store.history:
        with doing("measuring the original"):
            (measurement,) = measure(problem.original[None])
        if measurement.error and problem.shares:
            raise DynasError(f"the original network cannot be measured: {measurement.error}")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        store.append(Evaluation(1, 1, key, problem.original, measurement, now))
    first = store.history[0]
    if first.key != key:
        return replace(problem, original=None)
    names = [objective.name for objective in problem.objectives]
    values = dict(zip(names, first.measurement.values, strict=True))
    return replace(problem, objectives=bounded(problem.objectives, problem.shares, values))


def bounded(
    objectives: Sequence[Objective], shares: Mapping[str, float], values: Mapping[str, float]
) -> tuple[Objective, ...]:
    """Return objectives with shares of the original's values as bounds."""
    return tuple(
        replace(one, bound=shares[one.name] * values[one.name]) if one.name in shares else one for one in objectives
    )


def without_original(problem: Problem) -> Problem:
    """Return a problem whose original is not measured; raise DynasError where a bound is a share of it."""
    if problem.shares:
        name, share = next(iter(problem.shares.items()))
        raise DynasError(
            f"objectives.{name}.bound={share:g}x: only dynas search and dynas evaluate measure the original network; "
            "give a number in the objective's unit"
        )
    return replace(problem, original=None)
