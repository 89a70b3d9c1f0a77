"""Predictors that cannot be trained: the search says so and goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dynas import DynasError, search
from dynas.core.space import SearchSpace
from dynas.errors import DynasWarning
from tests.faults.slow_search import OBJECTIVES

pytestmark = pytest.mark.slow

COST, QUALITY = OBJECTIVES[1], OBJECTIVES[0]


def measure(architecture: Any) -> dict[str, float]:
    return {"quality": float(sum(architecture["ks"])), "cost": float(sum(architecture["d"]))}


class Singular:
    """Fails as a linear solver does."""

    def fit(self, features: np.ndarray, target: np.ndarray) -> None:
        raise np.linalg.LinAlgError("Singular matrix")

    def predict(self, features: np.ndarray) -> np.ndarray:
        raise AssertionError("never trained")


class Misconfigured(Singular):
    def fit(self, features: np.ndarray, target: np.ndarray) -> None:
        raise DynasError("predictor.folds needs at least 2, got 1")


@pytest.mark.parametrize(("mode", "instead"), [("linas", "after iteration 2 are random"), ("oneshot", "are random")])
def test_a_predictor_that_cannot_be_trained_costs_no_measurement(
    gated_space: SearchSpace, mode: str, instead: str
) -> None:
    from dynas.modes.linas import Linas
    from dynas.modes.oneshot import OneShot

    modes = {"linas": Linas(start_size=10, population=10), "oneshot": OneShot(training=15)}
    with pytest.warns(DynasWarning, match=rf"could not be trained \(LinAlgError: Singular matrix\).*{instead}"):
        result = search(gated_space, OBJECTIVES, measure, budget=30, mode=modes[mode], predictor=Singular)
    assert len(result.measurements) == 30
    assert result.measurements["key"].is_unique


@pytest.mark.parametrize("mode", ["linas", "oneshot"])
def test_settings_that_make_no_sense_are_still_refused(gated_space: SearchSpace, mode: str) -> None:
    from dynas.modes.linas import Linas
    from dynas.modes.oneshot import OneShot

    modes = {"linas": Linas(start_size=10), "oneshot": OneShot(training=15)}
    with pytest.raises(DynasError, match="folds needs at least 2"):
        search(gated_space, OBJECTIVES, measure, budget=30, mode=modes[mode], predictor=Misconfigured)


@pytest.mark.parametrize("predictor", ["gp", "ridge", "svr_rbf"])
def test_objectives_that_never_vary_are_searched_to_the_end(gated_space: SearchSpace, predictor: str) -> None:
    result = search(gated_space, [QUALITY, COST], lambda architecture: (3.0, 7.0), budget=40, predictor=predictor)
    assert len(result.measurements) == 40
    assert result.measurements["key"].is_unique
