"""Measuring by a user's own function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dynas.core.evaluation import Measure, Measurement
from dynas.core.objectives import Values
from dynas.core.problem import Problem
from dynas.core.space import Architecture, Genotypes
from dynas.errors import DynasError, reason

Function = Callable[[Any], Any]


def measure_function(problem: Problem, function: Function, vectorised: bool = False) -> Measure:
    """Return a `Measure` that calls ``function``; what it raises fails the candidate at hand, with its reason.

    Args:
        problem: space and objectives; exact ones are computed, ``function`` gives the others.
        function: from an architecture to its values: a number, a sequence in the objectives' order, or a mapping
            by name. Vectorised: from a list of ``n`` architectures to an array ``(n, M)``, ``(n,)`` for a single
            objective, or a mapping from names to arrays ``(n,)``.
        vectorised: whether ``function`` takes all candidates at once.
    """
    names = [objective.name for objective in problem.objectives if not objective.exact]

    def call(architectures: Sequence[Architecture]) -> Values:
        if not names:
            return np.empty((len(architectures), 0))
        answers = function(list(architectures)) if vectorised else [function(one) for one in architectures]
        if isinstance(answers, Mapping):
            columns = [answers[name] for name in names]
            return np.stack([np.asarray(column, dtype=float) for column in columns], axis=1)
        rows = [[answer[name] for name in names] if isinstance(answer, Mapping) else answer for answer in answers]
        values = np.asarray(rows, dtype=float).reshape(len(architectures), -1)
        if values.shape[1] != len(names):
            raise ValueError(f"{len(names)} values expected ({', '.join(names)}), got {values.shape[1]}")
        return values

    def measure(genotypes: Genotypes) -> Iterator[Measurement]:
        size = len(genotypes) if vectorised else 1
        for first in range(0, len(genotypes), size):
            yield from measure_group(genotypes[first : first + size])

    def measure_group(genotypes: Genotypes) -> list[Measurement]:
        start = time.perf_counter()
        try:
            values = call([problem.space.decode(row) for row in genotypes])
        except Exception as error:  # a user's function may raise anything; only the candidates at fault fail
            if len(genotypes) > 1:
                return [measurement for row in genotypes for measurement in measure_group(row[None])]
            return [Measurement((np.nan,) * len(problem.objectives), {}, time.perf_counter() - start, reason(error))]
        seconds = (time.perf_counter() - start) / len(genotypes)
        return [measurement_of(row, seconds) for row in join(problem, genotypes, values)]

    return measure


def join(problem: Problem, genotypes: Genotypes, values: Values) -> Values:
    """Return all objectives' values ``(n, M)``: measured ``values`` and computed ones."""
    measured = iter(values.T)
    columns = [
        problem.exact[objective.name](genotypes) if objective.exact else next(measured)
        for objective in problem.objectives
    ]
    return np.stack(columns, axis=1).astype(float)


def measurement_of(row: Values, seconds: float) -> Measurement:
    """Return one row of values as a measurement; one that is not finite has failed."""
    finite = bool(np.isfinite(row).all())
    return Measurement(tuple(map(float, row)), {}, seconds, "" if finite else f"measured {row.tolist()}")


def check_exact(problem: Problem) -> None:
    """Raise DynasError where an exact objective has no function, or a function no exact objective."""
    wanted = {objective.name for objective in problem.objectives if objective.exact}
    if wanted != set(problem.exact):
        raise DynasError(
            f"exact objectives need one function each: objectives {sorted(wanted)}, functions {sorted(problem.exact)}"
        )
