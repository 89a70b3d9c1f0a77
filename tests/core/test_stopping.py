"""A search ends early when its time is over or nothing gets better."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from dynas import DynasError
from dynas.algos.named import algorithm
from dynas.core.evaluation import Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.space import Genotypes
from dynas.core.stopping import Stopping
from dynas.executors.serial import Serial
from dynas.modes.validation import Validation


def points(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, dtype=float).reshape(len(rows), -1)


def test_patience_counts_iterations_without_a_new_point_on_the_front() -> None:
    stopping = Stopping(patience=2)
    for front in (points((1, 5)), points((1, 5)), points((1, 5), (2, 3)), points((2, 3), (1, 5))):
        stopping.watch(front)
        assert stopping.reason == ""
    stopping.watch(points((1, 5), (2, 3)))
    assert stopping.reason == "the hypervolume has not grown for patience=2 iterations"


def test_patience_waits_for_the_first_allowed_point() -> None:
    stopping = Stopping(patience=1)
    for _ in range(5):
        stopping.watch(np.empty((0, 2)))
    assert stopping.reason == ""


def test_a_stalled_search_ends_and_keeps_what_it_measured(analytic_mbv3: Any) -> None:
    def flat(genotypes: Genotypes) -> Iterator[Measurement]:
        yield from (Measurement((1.0, 1.0)) for _ in genotypes)

    evaluate = Evaluator(analytic_mbv3.problem(), Serial(flat), 1000, stopping=Stopping(patience=3))
    Validation().run(evaluate, algorithm("random", population=10), {}, np.random.default_rng(0))
    assert len(evaluate.history) == 40
    assert "patience=3" in evaluate.stopping.reason


def test_the_time_ends_a_search_within_an_iteration(analytic_mbv3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("dynas.core.stopping.time.monotonic", lambda: clock[0])

    def slow(genotypes: Genotypes) -> Iterator[Measurement]:
        for measurement in analytic_mbv3.measure()(genotypes):
            clock[0] += 6.0
            yield measurement

    evaluate = Evaluator(analytic_mbv3.problem(), Serial(slow), 1000, stopping=Stopping(max_minutes=1.5))
    Validation().run(evaluate, algorithm("nsga2", population=10), {}, np.random.default_rng(0))
    assert len(evaluate.history) == 15, "ninety seconds at six each"
    assert evaluate.stopping.reason == "max_minutes=1.5 are over"


@pytest.mark.parametrize("limit", [{"max_minutes": 0}, {"patience": -1}])
def test_senseless_limits_are_refused(limit: dict[str, Any]) -> None:
    with pytest.raises(DynasError, match="give a positive number, or null for no limit"):
        Stopping(**limit)


def test_one_reason_from_the_start_ends_a_search_after_five() -> None:
    stopping = Stopping()
    stopping.hear(["no device"] * 4)
    assert stopping.reason == ""
    stopping.hear(["no device"])
    assert stopping.reason == "all of the first 5 evaluations failed for the same reason: no device"


def test_failures_in_a_row_end_a_search_whatever_came_before() -> None:
    stopping = Stopping(max_failures=6)
    stopping.hear(["", *"abcde", "", *"fffff"])
    assert stopping.reason == ""
    stopping.hear(["g"])
    assert stopping.reason == "6 evaluations in a row failed (max_failures=6), the last one: g"


def test_failures_can_be_left_to_themselves() -> None:
    stopping = Stopping(max_failures=None)
    stopping.hear(["x"] * 1000)
    assert stopping.reason == ""
