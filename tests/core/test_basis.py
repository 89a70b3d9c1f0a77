"""What additive models see of options."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas import DesignVariable, SearchSpace, depth_gates
from dynas.core.basis import KNOTS, Basis

MIXED = SearchSpace(
    [
        DesignVariable("kind", tuple("abcdefgh"), 2),
        DesignVariable("width", tuple(range(8, 328, 8)), 4, depth_gates("depth", [4])),
        DesignVariable("depth", (1, 2, 3, 4)),
    ]
)


@pytest.mark.parametrize(
    ("choices", "fine"),
    [
        (range(7), True),
        (range(6), False),
        ((9.5, 8, 7, 6, 5, 4, 3), True),
        ((0, 2, 1, 3, 4, 5, 6), False),
        (tuple("abcdefgh"), False),
        (tuple((n, n) for n in range(9)), False),
    ],
)
def test_many_numbers_that_rise_or_fall_are_fine(choices: tuple[object, ...], fine: bool) -> None:
    assert DesignVariable("v", choices).is_fine is fine


@given(st.integers(0, 10**6))
def test_weights_of_options_say_what_the_models_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    basis, rows = Basis(MIXED), MIXED.sample(20, rng)
    assert len(basis.genes) == 2 * 8 + 4 * KNOTS + 4
    models = rng.normal(size=(3, len(basis.genes)))
    wanted = basis.features(rows) @ models.T
    np.testing.assert_allclose(MIXED.one_hot(rows) @ basis.weights(models).T, wanted, atol=1e-12)
    np.testing.assert_allclose(basis.features(rows).sum(axis=1), MIXED.active(rows).sum(axis=1))


def test_without_many_options_they_are_the_one_hot_features(mbv3_space: SearchSpace) -> None:
    rows = mbv3_space.sample(20, np.random.default_rng(0))
    np.testing.assert_array_equal(Basis(mbv3_space).features(rows), mbv3_space.one_hot(rows))
