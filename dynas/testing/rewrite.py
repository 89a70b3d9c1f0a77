"""Has pytest show the values of a suite's failed assertions, as it does for those of a test module."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "dynas.testing.algorithm",
    "dynas.testing.executor",
    "dynas.testing.predictor",
    "dynas.testing.supernet",
)
