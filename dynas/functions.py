"""Measuring by a user's own function."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from numbers import Number, Real
from typing import Any, Protocol, runtime_checkable

import numpy as np

from dynas.core.evaluation import Measure, Measurement
from dynas.core.objectives import Values
from dynas.core.problem import ExactCount, Problem
from dynas.core.space import Architecture, Genotypes
from dynas.errors import DynasError, reason, shown

Function = Callable[[Any], Any]


@runtime_checkable
class Named(Protocol):
    """A named tuple."""

    _fields: tuple[str, ...]


@runtime_checkable
class Labelled(Protocol):
    """What has values by label: a table or a row of pandas, and whatever else behaves like a mapping."""

    def keys(self) -> Iterable[Any]:
        """Return the labels."""
        ...

    def __getitem__(self, label: Any) -> Any:
        """Return the value of a label."""
        ...


@runtime_checkable
class Shaped(Protocol):
    """An array, a tensor or a table."""

    shape: Sequence[int]


@runtime_checkable
class Single(Protocol):
    """An array, a tensor or a scalar of a library that gives Python's number."""

    def item(self) -> Any:
        """Return the only element; raise where there are several."""
        ...


class AnswerError(ValueError):
    """What a user's function returned is not what was asked for; its text says both."""


def measure_function(problem: Problem, function: Function, vectorised: bool = False) -> Measure:
    """Return a `Measure` that calls ``function``; what it raises fails the candidate at hand, with its reason.

    So does an answer of another shape, or one that is no number. Where the shape of a vectorised answer is wrong, all
    its candidates fail: which value belongs to which of them is unknown then.

    Args:
        problem: space and objectives; exact ones are computed, ``function`` gives the others.
        function: from an architecture to its values: a number, a sequence in the objectives' order, or anything that
            has them by name (see `by_name`). Vectorised: from a list of ``n`` architectures to an array ``(n, M)``,
            ``n`` answers of one architecture each, or columns ``(n,)`` by name.
        vectorised: whether ``function`` takes all candidates at once.
    """
    names = [objective.name for objective in problem.objectives if not objective.exact]
    unmeasured = (np.nan,) * len(problem.objectives)

    def call(architectures: Sequence[Architecture]) -> Sequence[Any]:
        if not names:
            return [()] * len(architectures)
        if vectorised:
            return split(function(list(architectures)), len(architectures), names)
        return [function(one) for one in architectures]

    def measure(genotypes: Genotypes) -> Iterator[Measurement]:
        for group in np.split(genotypes, group_starts(len(genotypes), len(names), vectorised)):
            yield from measure_group(group)

    def measure_group(genotypes: Genotypes) -> list[Measurement]:
        start = time.perf_counter()
        try:
            answers = call([problem.space.decode(row) for row in genotypes])
        except AnswerError as error:
            share = (time.perf_counter() - start) / len(genotypes)
            return [Measurement(unmeasured, {}, share, str(error))] * len(genotypes)
        except Exception as error:  # a user's function may raise anything; only the candidates at fault fail
            if len(genotypes) > 1:
                return [measurement for row in genotypes for measurement in measure_group(row[None])]
            return [Measurement(unmeasured, {}, time.perf_counter() - start, reason(error))]
        seconds = (time.perf_counter() - start) / len(genotypes)
        table, errors = read_table(answers, names)
        rows = join(problem, genotypes, table)
        return [
            Measurement(unmeasured, {}, seconds, error) if error else measurement_of(row, seconds, extras)
            for row, error, extras in zip(rows, errors, constrained(problem, genotypes), strict=True)
        ]

    return measure


def group_starts(n: int, n_values: int, vectorised: bool) -> list[int]:
    """Return where the candidates that a function is called with begin anew.

    A vectorised function is never given as many candidates as it has values for each: in a square table nobody could
    tell candidates from objectives.
    """
    if not vectorised:
        return list(range(1, n))
    return [n - 1] if n == n_values > 1 else []


def split(answers: object, n: int, names: Sequence[str]) -> Sequence[Any]:
    """Return the answers of ``n`` candidates one by one; raise AnswerError where they are of another number."""
    if (named := by_name(answers)) is not None:
        columns = {name: items(named[name]) for name in names if name in named}
        require(names, named)
        for name, column in columns.items():
            if column is None or len(column) != n:
                raise AnswerError(f"{n} values expected for '{name}', got {described(named[name], column)}")
        return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    rows = items(answers)
    if rows is None or len(rows) != n:
        values = "value" if len(names) == 1 else f"rows of {len(names)} values"
        raise AnswerError(
            f"{n} {values} expected ({', '.join(names)}) for {n} candidates, got {described(answers, rows)}; "
            "return an array with a row for each candidate, or a dict with an array for each objective"
        )
    return rows


def read_table(answers: Sequence[Any], names: Sequence[str]) -> tuple[Values, list[str]]:
    """Return the values ``(n, M)`` of candidates, NaN where an answer has none, and what is wrong with each answer."""
    table, errors = np.full((len(answers), len(names)), np.nan), [""] * len(answers)
    for row, answer in enumerate(answers):
        try:
            table[row] = read_values(answer, names)
        except AnswerError as error:
            errors[row] = str(error)
        except Exception as error:  # what an object of the user's may raise when it is looked at
            errors[row] = reason(error)
    return table, errors


def read_values(answer: object, names: Sequence[str]) -> list[float]:
    """Return the values of one candidate in the order of ``names``; raise AnswerError where they are not there."""
    if (named := by_name(answer)) is not None:
        require(names, named)
        return [number(named[name], name) for name in names]
    cells = items(answer)
    if cells is None and len(names) == 1:
        cells = [answer]
    if cells is None or len(cells) != len(names):
        plural = "value" if len(names) == 1 else "values"
        raise AnswerError(f"{len(names)} {plural} expected ({', '.join(names)}), got {described(answer, cells)}")
    return [number(cell, name) for cell, name in zip(cells, names, strict=True)]


def require(names: Sequence[str], named: Mapping[str, Any]) -> None:
    """Raise AnswerError where an answer by name lacks one."""
    if missing := [name for name in names if name not in named]:
        raise AnswerError(f"no value for {', '.join(missing)}: the function names {', '.join(map(str, named))[:200]}")


def by_name(answer: object) -> Mapping[str, Any] | None:
    """Return what an answer holds by name; None where it has no names.

    A mapping, a table or a row of pandas, a named tuple, a dataclass, or a structured array of NumPy.
    """
    if dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        return {one.name: getattr(answer, one.name) for one in dataclasses.fields(answer)}
    if isinstance(answer, tuple) and isinstance(answer, Named):
        return dict(zip(answer._fields, answer, strict=True))
    if isinstance(answer, np.ndarray | np.void) and answer.dtype.names:
        return {name: answer[name] for name in answer.dtype.names}
    if isinstance(answer, Mapping):
        return answer
    if not isinstance(answer, Labelled):
        return None
    labels = list(answer.keys())
    # a pandas.Series without labels of its own has the numbers of its rows, and so is a plain sequence
    if isinstance(answer, Shaped) and len(answer.shape) == 1 and not any(isinstance(label, str) for label in labels):
        return None
    return {label: answer[label] for label in labels}


def items(answer: object) -> Sequence[Any] | None:
    """Return what a sequence or an array holds; None for a single value, for texts and for what has no order."""
    if isinstance(answer, (str, bytes, bytearray, Set, Mapping, type)):
        return None
    try:
        len(answer)  # type: ignore[arg-type]  # else it might never end
        return list(answer)  # type: ignore[call-overload, no-any-return]
    except TypeError:  # no length, also that of an array without dimensions
        return None


def number(value: object, name: str) -> float:
    """Return a real number, also one in an array or a tensor of one element; raise AnswerError for all else."""
    single = value
    if isinstance(value, Single):
        try:
            single = value.item()
        except (TypeError, ValueError, RuntimeError):
            single = None
    elif isinstance(value, list | tuple) and len(value) == 1:
        single = value[0]
    if isinstance(single, Real | Decimal) and not isinstance(single, bool):
        try:
            return float(single)
        except (OverflowError, ValueError):
            pass
    raise AnswerError(f"a real number expected for '{name}', got {described(value, None)}")


def described(answer: object, parts: Sequence[Any] | None) -> str:
    """Return in a few words what was given instead of the values that were expected."""
    shape = answer.shape if isinstance(answer, Shaped) else None
    if shape is not None and (parts is None or len(shape) != 1):
        return f"{type(answer).__name__} of shape {tuple(shape)}" if len(shape) else shown(answer)[:60]
    if parts is None:
        return shown(answer)[:60] if isinstance(answer, str | bytes | Number | None) else type(answer).__name__
    return str(len(parts))


def join(problem: Problem, genotypes: Genotypes, values: Values) -> Values:
    """Return all objectives' values ``(n, M)``: measured ``values`` and computed ones."""
    measured = iter(values.T)
    columns = [
        problem.exact[objective.name](genotypes) if objective.exact else next(measured)
        for objective in problem.objectives
    ]
    return np.stack(columns, axis=1).astype(float)


def constrained(problem: Problem, genotypes: Genotypes) -> list[dict[str, float | str]]:
    """Return the value of every constraint, by its column, for each of canonical genotypes ``(n, G)``."""
    columns = {one.limit.column: one.values(problem.space, genotypes) for one in problem.constraints}
    return [{name: float(values[row]) for name, values in columns.items()} for row in range(len(genotypes))]


def measurement_of(row: Values, seconds: float, extras: Mapping[str, float | str]) -> Measurement:
    """Return one row of values as a measurement; one that is not finite has failed."""
    finite = bool(np.isfinite(row).all())
    return Measurement(tuple(map(float, row)), extras, seconds, "" if finite else f"measured {row.tolist()}")


def checked_exact(name: str, function: ExactCount) -> ExactCount:
    """Return a user's function of an exact objective that raises DynasError where it does not give ``n`` numbers."""

    def count(genotypes: Genotypes) -> Values:
        values = items(function(genotypes))
        if values is None or len(values) != len(genotypes):
            got = "no array" if values is None else len(values)
            raise DynasError(f"exact['{name}'] was given {len(genotypes)} genotypes and returned {got} values")
        try:
            return np.array([number(value, name) for value in values])
        except AnswerError as error:
            raise DynasError(f"exact['{name}']: {error}") from error

    return count


def check_exact(problem: Problem) -> None:
    """Raise DynasError where an exact objective has no function, or a function no exact objective."""
    wanted = {objective.name for objective in problem.objectives if objective.exact}
    if wanted != set(problem.exact):
        raise DynasError(
            f"exact objectives need one function each: objectives {sorted(wanted)}, functions {sorted(problem.exact)}"
        )
