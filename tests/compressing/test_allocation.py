"""Plain rules: what they choose is nested, even, and the first that fits."""

from __future__ import annotations

import numpy as np
import pytest

from dynas import DesignVariable, Gate, SearchSpace
from dynas.compressing.allocation import around, by_threshold, evenly, first_that_fits, halvings
from dynas.compressing.sensitivity import changes, losses_of
from dynas.core.objectives import Objective
from dynas.core.problem import Problem, make_batch


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    """Two blocks, in the second of which the last of three groups lies."""
    gates = (None, None, Gate("b", 1, 1))
    return SearchSpace([DesignVariable("b", (0, 1), 2), DesignVariable("w", (0.25, 0.5, 1.0), 3, gates)])


def test_changes_are_all_options_of_single_genes_and_something_of_each_comes_first(space: SearchSpace) -> None:
    made = changes(space)
    assert len(made) == 2 + 3 * 2
    assert sorted(one.gene for one in made[:5]) == [0, 1, 2, 3, 4]
    assert len({one.genotype.tobytes() for one in made}) == len(made)


def test_what_was_not_measured_counts_as_the_next_deeper_cut(space: SearchSpace) -> None:
    problem = Problem(space, (Objective("loss", "min", "nat"),))
    made = changes(space)
    known = [one for one in made if one.option == 0 and one.gene != 4]
    batch = make_batch(problem, np.stack([one.genotype for one in known]), np.arange(1.0, 1 + len(known))[:, None])
    original = make_batch(problem, space.largest()[None], np.array([[0.5]]))
    losses = losses_of(space, made, batch, original)
    assert losses[2, 0] == losses[2, 1] > 0, "the deeper cut stands in"
    assert losses[2, 2] == 0
    assert np.isinf(losses[4, :2]).all(), "of this gene nothing is known"


def test_thresholds_cut_ever_deeper_from_the_original_on(space: SearchSpace) -> None:
    losses = np.array([[9, 0, np.inf], [1, 0, np.inf], [5, 2, 0], [0.5, 0.1, 0], [7, 3, 0]])
    rows = by_threshold(space, losses)
    assert (rows[0] == space.largest()).all()
    assert (np.diff(rows, axis=0) <= 0).all()
    assert (rows[-1] == space.canonical(np.zeros((1, 5), dtype=np.int64))[0]).all()
    assert [1, 1, 2, 0, 2] in rows.tolist(), "what costs least is cut first"


def test_an_even_share_keeps_every_block_and_goes_down_step_by_step(space: SearchSpace) -> None:
    rows = evenly(space, "w")
    assert (rows[:, :2] == 1).all()
    assert rows[0, 2:].tolist() == [2, 2, 2]
    assert rows[-1, 2:].tolist() == [0, 0, 0]
    assert (np.ptp(rows[:, 2:], axis=1) <= 1).all()
    assert (np.diff(rows.sum(axis=1)) < 0).all()


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_the_first_row_that_fits_is_found_by_halving(count: int) -> None:
    rows = np.arange(count)[:, None]
    for first in range(count):
        asked: list[int] = []

        def fits(row: np.ndarray, first: int = first, asked: list[int] = asked) -> bool:
            asked.append(int(row[0]))
            return row[0] >= first

        found = first_that_fits(rows, fits)
        assert found == first
        assert len(asked) <= halvings(count)
    assert first_that_fits(rows, lambda row: False) is None


def test_neighbours_are_distinct_and_near(space: SearchSpace) -> None:
    largest = space.largest()
    rows = around(space, [largest], 6, np.random.default_rng(0))
    assert len({row.tobytes() for row in rows}) == len(rows) == 6
    assert (largest - rows <= 2).all()
    assert len(around(space, [largest], 0, np.random.default_rng(0))) == 0
