from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas.core.pareto import first_fronts, hypervolume, hypervolume_curve, nadir, non_dominated, spread

SIDE = 5


@st.composite
def grids(draw: st.DrawFn, least: int = 0, most: int = 10) -> np.ndarray:
    """Points with whole coordinates from 0 to 6, in one to four dimensions; the reference is at 5."""
    m = draw(st.integers(1, 4))
    point = st.lists(st.integers(0, SIDE + 1), min_size=m, max_size=m)
    points = draw(st.lists(point, min_size=least, max_size=most))
    return np.array(points, dtype=float).reshape(-1, m)


def dominated_cells(points: np.ndarray) -> int:
    """Count the unit cells below the reference that some point dominates: the hypervolume by its definition."""
    cells = itertools.product(range(SIDE), repeat=points.shape[1])
    return sum(bool((points <= np.array(cell)).all(axis=1).any()) for cell in cells)


@given(grids())
def test_the_hypervolume_is_the_number_of_dominated_cells(points: np.ndarray) -> None:
    assert hypervolume(points, [SIDE] * points.shape[1]) == pytest.approx(dominated_cells(points))


@pytest.mark.parametrize(
    ("points", "reference", "wanted"),
    [
        ([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]], [4.0, 4.0], 6.0),  # 3 + 2 + 1 cells
        ([[1.0, 3.0], [2.0, 2.0], [2.0, 2.0], [3.0, 3.0]], [4.0, 4.0], 5.0),
        ([[1.0, 1.0, 1.0], [0.0, 2.0, 2.0]], [3.0, 3.0, 3.0], 9.0),  # 8 + 3 - 2
        ([[2.5]], [4.0], 1.5),
        ([[-75.0, 10.0], [-60.0, 5.0]], [-50.0, 20.0], 300.0),  # 25 x 10 + 10 x 5
        ([[4.0, 0.0]], [4.0, 4.0], 0.0),
        ([[9.0, 0.0], [1.0, 3.0]], [4.0, 4.0], 3.0),
    ],
)
def test_hypervolumes_computed_by_hand(points: list[list[float]], reference: list[float], wanted: float) -> None:
    assert hypervolume(np.array(points), reference) == pytest.approx(wanted)


def test_the_hypervolume_of_nothing_is_zero() -> None:
    assert hypervolume(np.empty((0, 2)), [1.0, 1.0]) == 0.0


@given(grids(most=25))
def test_a_row_stays_exactly_when_no_other_row_dominates_it(points: np.ndarray) -> None:
    wanted = [not any((other <= row).all() and (other < row).any() for other in points) for row in points]
    mask = non_dominated(points)
    assert mask.dtype == bool
    assert mask.shape == (len(points),)
    assert mask.tolist() == wanted


@given(grids(most=12), st.data())
def test_the_curve_is_the_hypervolume_of_every_prefix(points: np.ndarray, data: st.DataObject) -> None:
    failed = data.draw(st.lists(st.booleans(), min_size=len(points), max_size=len(points)))
    points[np.array(failed, dtype=bool)] = np.nan
    reference = [SIDE] * points.shape[1]
    curve = hypervolume_curve(points, reference)
    measured = [points[: count + 1][~np.array(failed[: count + 1], dtype=bool)] for count in range(len(points))]
    assert curve.shape == (len(points),)
    np.testing.assert_allclose(curve, [dominated_cells(prefix) for prefix in measured])
    assert (np.diff(curve) >= 0).all()


def test_a_row_with_one_missing_value_adds_nothing() -> None:
    points = np.array([[1.0, 3.0], [np.nan, 0.0], [0.0, np.nan], [3.0, 1.0]])
    assert hypervolume(points, [4.0, 4.0]) == pytest.approx(5.0)
    np.testing.assert_allclose(hypervolume_curve(points, [4.0, 4.0]), [3.0, 3.0, 3.0, 5.0])


@given(grids(most=15))
def test_the_nadir_is_worse_than_no_measured_row(points: np.ndarray) -> None:
    rows = np.concatenate([points, np.full((2, points.shape[1]), np.nan)])
    wanted = [max(column) for column in points.T] if len(points) else [0.0] * points.shape[1]
    assert nadir(rows).tolist() == wanted


@given(grids(least=1, most=20), st.integers(1, 25))
def test_a_spread_has_as_many_different_rows_as_asked_for(points: np.ndarray, n: int) -> None:
    rows = spread(points, n)
    assert len(rows) == len(set(rows.tolist())) == min(n, len(points))
    assert set(rows.tolist()) <= set(range(len(points)))


@given(grids(least=6, most=20))
def test_a_spread_holds_the_best_of_each_objective(points: np.ndarray) -> None:
    chosen = points[spread(points, 5)]
    assert chosen.min(axis=0).tolist() == points.min(axis=0).tolist()


def test_a_spread_takes_the_ends_and_then_the_middle_of_a_line() -> None:
    line = np.stack([np.arange(11.0), 1000 * np.arange(10.0, -1, -1)], axis=1)
    assert spread(line, 3).tolist() == [0, 10, 5]
    assert spread(line, 1).tolist() == [0]


def test_a_spread_of_equal_rows_still_gives_different_rows() -> None:
    assert sorted(spread(np.ones((4, 2)), 3).tolist()) == sorted(set(spread(np.ones((4, 2)), 3).tolist()))
    assert len(spread(np.ones((4, 2)), 3)) == 3


@given(grids(least=1, most=12), st.integers(1, 14), st.data())
def test_the_first_fronts_are_better_than_what_is_left_out(points: np.ndarray, n: int, data: st.DataObject) -> None:
    violation = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.0]), min_size=len(points), max_size=12)))
    violation = np.resize(violation, len(points))
    rows = first_fronts(points, violation, n)
    assert len(set(rows.tolist())) == len(rows) == min(n, len(points))
    left = np.setdiff1d(np.arange(len(points)), rows)
    if len(left):
        assert violation[rows].max() <= violation[left].min()
    for row in rows[violation[rows] <= 0]:
        better = (points[left] <= points[row]).all(axis=1) & (points[left] < points[row]).any(axis=1)
        assert not (better & (violation[left] <= 0)).any()
