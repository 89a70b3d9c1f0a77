"""A bound that nothing keeps to is refused before anything is measured."""

from __future__ import annotations

import numpy as np
import pytest

from dynas.core.design import DesignVariable
from dynas.core.objectives import Objective
from dynas.core.problem import Problem
from dynas.core.reach import check_bounds, reached
from dynas.core.space import SearchSpace
from dynas.errors import DynasError

SPACE = SearchSpace([DesignVariable("a", (1, 2, 3), 9), DesignVariable("b", (5, 7))])


def total(genotypes: np.ndarray) -> np.ndarray:
    return genotypes.sum(axis=1) + 3


def test_a_bound_below_the_smallest_is_refused() -> None:
    for direction, bound, told in (("min", 2.9, "the least that one has is 3 MB"), ("max", 25, "the most .* is 22 MB")):
        size = Objective("memory", direction, "MB", bound, exact=True)
        with pytest.raises(DynasError, match=rf"bound={bound} of objective memory leaves no sub-network: .*{told}"):
            check_bounds(Problem(SPACE, (size,), {"memory": total}))


def test_a_bound_that_one_keeps_to_is_taken() -> None:
    for direction, bound in (("min", 3), ("max", 22)):
        size = Objective("memory", direction, "MB", bound, exact=True)
        check_bounds(Problem(SPACE, (size,), {"memory": total}))


def test_what_is_measured_is_not_judged() -> None:
    check_bounds(Problem(SPACE, (Objective("latency", "min", "ms", 0.0),), {}))


def test_the_best_need_be_at_neither_end() -> None:
    """A single sub-network of 39,366."""
    wanted = np.array([1, 2, 0, 1, 2, 0, 1, 2, 0, 1])
    found = reached(Objective("x", "min", "", 0, exact=True), lambda rows: np.abs(rows - wanted).sum(axis=1), SPACE)
    assert found == 0
