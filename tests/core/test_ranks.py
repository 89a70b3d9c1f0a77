"""Kendall's tau against scipy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kendalltau

from dynas.core.ranks import kendall_tau


@pytest.mark.parametrize("n", [2, 3, 40, 700])
@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_it_is_that_of_scipy_ties_included(n: int, levels: int) -> None:
    rng = np.random.default_rng(n + levels)
    first = np.concatenate([[0.0, 1.0], rng.integers(levels, size=n - 2)])
    second = np.concatenate([[1.0, 0.0], first[2:] + rng.integers(levels, size=n - 2)])
    assert kendall_tau(first, second) == kendalltau(first, second).statistic


def test_equal_values_have_no_order() -> None:
    assert math.isnan(kendall_tau(np.ones(5), np.arange(5.0)))
    assert math.isnan(kendall_tau(np.arange(1.0), np.arange(1.0)))
