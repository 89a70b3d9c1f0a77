"""The one sub-network to deploy is what the wish says, and the reason is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynas.errors import DynasError
from dynas.report.pick import beyond_plane, parse_wish, pick
from tests.helpers.run_folders import LATENCY, MACS, TOP1, search

# a front with a clear knee at (88, 5)
KNEE = [(80, 3), (82, 4), (88, 5), (89, 9), (90, 14), (79, 12)]


def picked(tmp_path: Path, wish: str) -> tuple[list[float], str]:
    run = search(tmp_path / f"run{len(wish)}", KNEE)
    found = pick([run], parse_wish(wish, run.objectives))
    return found.run.values[found.row].tolist(), found.reason


@pytest.mark.parametrize(
    ("wish", "values"),
    [
        ("knee", [88, 5]),
        ("latency<=4.5", [82, 4]),
        ("latency <= 10", [89, 9]),
        ("top1>=80,latency", [80, 3]),
        ("top1>=88.5", [89, 9]),
        ("top1", [90, 14]),
        ("latency", [80, 3]),
        ("latency<=10,top1>=81", [88, 5]),  # no aim is left: the knee of the rest
        ("latency<=14,knee", [88, 5]),
    ],
)
def test_the_wish_is_met(tmp_path: Path, wish: str, values: list[float]) -> None:
    assert picked(tmp_path, wish)[0] == values


def test_a_limit_is_a_share_of_the_original(tmp_path: Path) -> None:
    run = search(tmp_path / "run", KNEE)
    original = np.array([90.0, 14.0])
    (limit,) = parse_wish("latency<=0.5x", run.objectives, original).limits
    assert limit == (1, "<=", 7.0)
    assert parse_wish("top1 >= .9x,latency", run.objectives, original).limits == ((0, ">=", 81.0),)
    for wish, message in (("latency<=ax", "'ax' is no number"), ("latency<=0.5xx", "is no number")):
        with pytest.raises(DynasError, match=message):
            parse_wish(wish, run.objectives, original)
    with pytest.raises(DynasError, match=r"no original was measured that 0.5x could be a share of"):
        parse_wish("latency<=0.5x", run.objectives)


def test_reasons_say_among_how_many_and_what_the_next_one_costs(tmp_path: Path) -> None:
    reason = picked(tmp_path, "latency<=10")[1]
    assert reason == (
        "of the 4 on the front with latency <= 10 ms, it has the highest top1. "
        "The next with lower latency gains 4 ms there and loses 1 point of top1."
    )
    assert picked(tmp_path, "knee")[1].startswith("it is the knee of the 5 on the front: ")


def test_several_runs_are_picked_from_together(tmp_path: Path) -> None:
    runs = [search(tmp_path / "a", KNEE), search(tmp_path / "b", [(91, 3)])]
    found = pick(runs, parse_wish("knee", runs[0].objectives))
    assert found.run is runs[1]
    assert found.reason == "it is the only one on the front."


def test_three_objectives_have_a_knee(tmp_path: Path) -> None:
    run = search(tmp_path / "run", [(90, 10, 9), (80, 2, 9), (80, 10, 1), (86, 4, 3)], [TOP1, LATENCY, MACS])
    assert pick([run], parse_wish("knee", run.objectives)).row == 3
    assert pick([run], parse_wish("latency<=5,macs<=4", run.objectives)).row == 3


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("size<=3", "unknown objective 'size': choose one of latency, top1"),
        ("latency<=fast", "'fast' is no number"),
        ("latency=5", "give limits and one objective"),
        ("top1,latency", "several aims, top1 and latency"),
        ("", "give limits and one objective"),
        ("latency<=1", "nothing on the front has latency <= 1 ms: the least latency is 3 there"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused(tmp_path: Path, wish: str, message: str) -> None:
    with pytest.raises(DynasError, match=message):
        picked(tmp_path, wish)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=30),
    st.tuples(st.floats(0.1, 9), st.floats(-50, 50)),
)
def test_the_knee_does_not_depend_on_units(values: list[tuple[int, int]], scale: tuple[float, float]) -> None:
    losses = np.array(values, dtype=float)
    np.testing.assert_allclose(beyond_plane(losses), beyond_plane(losses * scale[0] + scale[1]), atol=1e-9)
