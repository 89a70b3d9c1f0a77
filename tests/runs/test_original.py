"""The original is the first row of a run, and bounds are shares of what it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from dynas import DesignVariable, DynasError, Objective, SearchSpace
from dynas.core.evaluation import Measurement
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.runs.original import Remembered, begun_with_original, without_original

SPACE = SearchSpace([DesignVariable("width", (1, 2, 4))])
QUALITY, COST = Objective("quality", "max", "%"), Objective("cost", "min", "MAC")
PROBLEM = Problem(SPACE, (QUALITY, COST), original=SPACE.largest(), shares={"cost": 0.5, "quality": 0.9})


def measure(genotypes: Genotypes) -> Iterator[Measurement]:
    for row in genotypes:
        yield Measurement((80.0, 3.0 + float(row[0])), {}, 0.1)


def broken(genotypes: Genotypes) -> Iterator[Measurement]:
    yield from (Measurement((np.nan, np.nan), {}, 0.1, "too large") for _ in genotypes)


def test_it_is_measured_first_and_its_shares_become_bounds() -> None:
    store = Remembered()
    problem = begun_with_original(PROBLEM, measure, store)
    (first,) = store.history
    assert (first.index, first.iteration, first.key) == (1, 1, SPACE.key(SPACE.largest()))
    assert [one.bound for one in problem.objectives] == [72.0, 2.5]
    assert problem.shares == PROBLEM.shares


def test_a_run_that_goes_on_does_not_measure_it_again() -> None:
    store = Remembered()
    before = begun_with_original(PROBLEM, measure, store)
    assert begun_with_original(PROBLEM, broken, store).objectives == before.objectives
    assert len(store.history) == 1


def test_a_run_that_began_without_it_goes_on_without_it() -> None:
    store = Remembered()
    begun_with_original(replace(PROBLEM, original=SPACE.smallest()), measure, store)
    assert begun_with_original(replace(PROBLEM, shares={}), broken, store).original is None


def test_nothing_is_a_share_of_what_fails() -> None:
    with pytest.raises(DynasError, match="the original network cannot be measured: too large"):
        begun_with_original(PROBLEM, broken, Remembered())
    store = Remembered()
    assert begun_with_original(replace(PROBLEM, shares={}), broken, store).objectives == PROBLEM.objectives
    assert store.history[0].measurement.error == "too large", "where no bound needs it, it is a row that failed"


def test_commands_that_do_not_measure_it_refuse_shares() -> None:
    assert without_original(replace(PROBLEM, shares={})).original is None
    with pytest.raises(DynasError, match=r"objectives.cost.bound=0.5x: only dynas search and dynas evaluate"):
        without_original(PROBLEM)
