"""Whatever a user's function returns: every candidate gets numbers or a reason, and none is asked for twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from hypothesis import given
from hypothesis import strategies as st

from dynas import DesignVariable, Objective, SearchSpace
from dynas.core.problem import Problem
from dynas.functions import measure_function
from tests.fuzz.mutations import VALUES, check_sentence, count, fuzz

SPACE = SearchSpace([DesignVariable("a", range(12))])
SINGLE = st.sampled_from([*VALUES, 1.5, np.float32(2), np.array(3.0), torch.tensor(4.0), pd.NA, 1j, b"5", object()])
ROW = st.lists(SINGLE, max_size=4) | st.lists(SINGLE, max_size=4).map(tuple) | st.sets(st.integers(0, 9))
NAMED = st.dictionaries(st.sampled_from(["x", "y", "z", 0]), SINGLE | ROW, max_size=4)
SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)
ARRAY = SHAPES.map(np.ones) | SHAPES.map(torch.ones) | SHAPES.map(lambda shape: np.full(shape, "x", dtype=object))
SERIES = NAMED.map(lambda named: pd.Series(named, dtype=object)) | ROW.map(
    lambda row: pd.Series(list(row), dtype=object)
)
FRAME = st.integers(0, 4).map(lambda n: pd.DataFrame({"x": np.ones(n), "y": np.ones(n)}))
ANSWER = SINGLE | ROW | NAMED | ARRAY | SERIES | FRAME
ANSWERS = ANSWER | st.lists(ANSWER, max_size=4)


@fuzz(300)
@given(ANSWERS, st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_any_answer_gives_numbers_or_a_reason(answer: Any, n: int, n_values: int, vectorised: bool) -> None:
    objectives = tuple(Objective(name, "min", "1") for name in "xyz"[:n_values])
    calls = 0

    def function(_: Any) -> Any:
        nonlocal calls
        calls += 1
        return answer

    measured = list(measure_function(Problem(SPACE, objectives), function, vectorised)(np.arange(n)[:, None]))
    assert len(measured) == n
    assert calls <= n + 1
    for one in measured:
        assert len(one.values) == n_values
        assert one.error or np.isfinite(one.values).all()
        if one.error:
            check_sentence(one.error)
    count(not any(one.error for one in measured))
