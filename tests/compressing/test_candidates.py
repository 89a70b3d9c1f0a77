"""Who is tuned: what keeps to a limit when it is measured once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dynas import DesignVariable, SearchSpace
from dynas.compressing.candidates import SEARCH, confirmed
from dynas.compressing.limits import read_limits
from dynas.core.space import Architecture

SPACE = SearchSpace([DesignVariable("w", (1, 2, 3, 4, 5, 6, 7, 8, 9))])
(LIMIT,) = read_limits("latency<=0.5x", ["latency"])


def rows(*widths: int) -> list[np.ndarray]:
    return [np.array([width - 1]) for width in widths]


def costs(architectures: Sequence[Architecture]) -> list[Mapping[str, float]]:
    """The original, then one millisecond per width: whatever a search believed, five are the most."""
    return [{"latency": 10.0}, *({"latency": float(one["w"])} for one in architectures)]  # type: ignore[arg-type]


def chosen(ranked: Mapping[str, list[np.ndarray]], finalists: int = 1) -> dict[int, list[str]]:
    found = confirmed(SPACE, LIMIT, ranked, finalists, costs)
    return {int(genotype[0]) + 1: rules for genotype, rules in found.values()}


def test_what_is_beyond_the_limit_gives_way_to_the_next() -> None:
    assert chosen({SEARCH: rows(6, 7, 4, 3), "uniform": rows(6, 5, 4)}) == {4: [SEARCH], 5: ["uniform"]}
    assert chosen({SEARCH: rows(6, 4, 3, 2)}, finalists=2) == {4: [SEARCH], 3: [SEARCH]}


def test_one_that_two_chose_is_tuned_once() -> None:
    assert chosen({SEARCH: rows(5), "threshold": rows(6, 5)}) == {5: [SEARCH, "threshold"]}


def test_where_nothing_is_within_the_limit_the_nearest_is_taken() -> None:
    assert chosen({SEARCH: rows(9, 7, 8), "uniform": rows(6)}) == {7: [SEARCH], 6: ["uniform"]}
    assert chosen({SEARCH: []}) == {}
