"""Limits are read, or refused in one sentence."""

from __future__ import annotations

import pytest

from dynas.compressing.limits import read_limits
from dynas.errors import DynasError

ALLOWED = ("latency", "size", "peak_memory")


def test_a_limit_is_a_share_or_a_number() -> None:
    (one,) = read_limits("latency<=0.6x,size<=1.5", ALLOWED)
    assert one.bounds({"latency": 10.0, "size": 3.0}) == {"latency": 6.0, "size": 1.5}
    assert one.within({"latency": 6.0, "size": 1.5}, {"latency": 10.0, "size": 3.0})
    assert not one.within({"latency": 6.0, "size": 1.6}, {"latency": 10.0, "size": 3.0})


def test_several_limits_come_from_the_loosest_on() -> None:
    limits = read_limits(["latency<=0.4x", "latency<=0.6x"], ALLOWED)
    assert [one.text for one in limits] == ["latency<=0.6x", "latency<=0.4x"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "no limit given"),
        ("latency", "give a limit such as"),
        ("latency>=0.6x", "give a limit such as"),
        ("top1<=80", "unknown objective of a limit 'top1'"),
        ("latency<=1.5x", "a share between 0 and 1"),
        ("size<=0", "a number above 0"),
        (["latency<=0.6x", "size<=1"], "on the same objectives"),
        (["latency<=0.6x", "latency<=0.6x"], "tighter than the one before"),
        (["latency<=0.6x,size<=1", "latency<=0.4x,size<=2"], "tighter than the one before"),
    ],
)
def test_what_means_nothing_is_refused(given: str | list[str], said: str) -> None:
    with pytest.raises(DynasError, match=said):
        read_limits(given, ALLOWED)
