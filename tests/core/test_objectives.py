from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dynas import DesignVariable, DynasError, Objective, SearchSpace
from dynas.core.objectives import losses, violation
from dynas.core.problem import Problem, make_batch

TOP1 = Objective("top1", "max", "%", bound=70.0)
LATENCY = Objective("latency", "min", "ms", bound=20.0)
FREE = Objective("macs", "min", "MAC")


def test_a_column_carries_name_and_unit() -> None:
    assert LATENCY.column == "latency [ms]"


def test_only_objectives_that_are_maximised_change_their_sign() -> None:
    values = np.array([[75.0, 10.0], [60.0, 30.0]])
    np.testing.assert_array_equal(losses([TOP1, LATENCY], values), [[-75, 10], [-60, 30]])


@given(arrays(float, (4, 3), elements=st.floats(-1e9, 1e9)))
def test_losses_turn_back_into_the_same_values(values: np.ndarray) -> None:
    objectives = [TOP1, LATENCY, FREE]
    np.testing.assert_array_equal(losses(objectives, losses(objectives, values)), values)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((70.0, 20.0, 1e9), 0.0),  # on the bounds; no bound on the third
        ((80.0, 10.0, 0.0), 0.0),
        ((63.0, 20.0, 0.0), 0.1),
        ((70.0, 25.0, 0.0), 0.25),
        ((63.0, 25.0, 0.0), 0.35),
    ],
)
def test_a_violation_adds_up_how_far_values_are_beyond_their_bounds(values: tuple[float, ...], wanted: float) -> None:
    np.testing.assert_allclose(violation([TOP1, LATENCY, FREE], np.array([values])), [wanted], atol=1e-12)


def test_a_bound_of_zero_and_a_negative_one_work() -> None:
    objectives = [Objective("drop", "min", "%", bound=0.0), Objective("gain", "max", "dB", bound=-4.0)]
    np.testing.assert_allclose(violation(objectives, np.array([[0.5, -5.0], [-1.0, -3.0]])), [0.75, 0.0])


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(DynasError, match="objective 'top1' has direction 'up': choose min or max"):
        Objective("top1", "up", "%")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bound", ["5", True, float("nan"), float("inf"), -np.inf, 1j, [5], 10**400, 10**5000], ids=type
)
def test_a_bound_is_a_finite_number(bound: object) -> None:
    with pytest.raises(DynasError, match=r"objective 'latency' has the bound .*: give a finite number of ms, or None"):
        Objective("latency", "min", "ms", bound=bound)  # type: ignore[arg-type]


@pytest.mark.parametrize("bound", [5, 5.0, np.float32(5), np.int64(5)])
def test_a_bound_may_be_any_real_number(bound: float) -> None:
    np.testing.assert_array_equal(violation([Objective("x", "min", "1", bound)], np.array([[10.0], [5.0]])), [1, 0])


def test_within_a_band_nothing_is_gained_and_measurements_stay() -> None:
    space = SearchSpace([DesignVariable("d", (1, 2, 3, 4))])
    objectives = (Objective("loss", "min", "nat"), Objective("latency", "min", "ms", bound=10.0))
    problem = Problem(space, objectives, bands={"latency": 0.9})
    values = np.array([[1.0, 2.0], [0.5, 9.5], [0.7, 8.9], [0.1, 11.0]])
    batch = make_batch(problem, np.arange(4)[:, None], values)
    assert batch.losses[:, 1].tolist() == [9.0, 9.5, 9.0, 11.0]
    assert (batch.violation > 0).tolist() == [False, False, False, True]
    assert len(batch.front()) == 2, "what is cheaper than the band is beaten by what is in it"
    assert values[0, 1] == 2.0
