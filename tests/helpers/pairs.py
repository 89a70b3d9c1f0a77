"""Products of parameters, pair by pair."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from allpairspy import AllPairs

Row = tuple[Any, ...]


def anything(*row: Any) -> bool:
    return True


def pairs(*values: Iterable[Any], possible: Callable[..., bool] = anything) -> list[Row]:
    """Return few rows, one value of each parameter, such that every two values of any two parameters meet in one.

    Every two that can: ``possible`` refuses rows, also unfinished ones, of which it is given the first values.
    """
    lists = [list(some) for some in values]
    if len(lists) == 1:
        return [(value,) for value in lists[0]]
    rows = [tuple(row) for row in AllPairs(lists, filter_func=lambda row: possible(*row))]
    candidates = [row for row in itertools.product(*lists) if possible(*row)]
    missing = met(candidates) - met(rows)  # where some rows are refused, AllPairs ends too early
    while missing:
        rows.append(max(candidates, key=lambda row: len(missing & met([row]))))
        missing -= met(rows[-1:])
    return rows


def met(rows: Iterable[Row]) -> set[Any]:
    """Return the pairs of values, each with its place, that meet in some row."""
    return {pair for row in rows for pair in itertools.combinations(enumerate(row), 2)}


def pairwise(possible: Callable[..., bool] = anything, **values: Iterable[Any]) -> pytest.MarkDecorator:
    """Mark a test to run with rows of `pairs`."""
    return pytest.mark.parametrize(tuple(values), pairs(*values.values(), possible=possible))
