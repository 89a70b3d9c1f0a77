"""Our predictors by name: their settings, and what sets some apart."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import yaml

from dynas import DesignVariable, DynasError, SearchSpace
from dynas.core.objectives import Values
from dynas.core.predictor import Predictor
from dynas.predictors.named import CLASSES, predictor
from dynas.system.folders import CONFIGS
from dynas.testing.predictor import error, linear_target

NAMES = sorted(CLASSES)


def fitted(name: str, features: Values, target: Values) -> Predictor:
    model = predictor(name)()
    model.fit(features, target)
    return model


@pytest.mark.parametrize("nonlinear", ["svr_rbf", "stacked"])
def test_an_interaction_is_learned_better_than_by_ridge(nonlinear: str) -> None:
    space = SearchSpace([DesignVariable("v", (0, 1, 2), 8)])
    genotypes = space.sample_distinct(600, np.random.default_rng(0))
    features = space.one_hot(genotypes)
    target = linear_target(features, 0.05) + 2.0 * (genotypes[:, 0] == genotypes[:, 1])
    errors = {
        name: error(fitted(name, features[:300], target[:300]).predict(features[300:]), target[300:])
        for name in (nonlinear, "ridge")
    }
    assert errors[nonlinear] < 0.5 * errors["ridge"]


@pytest.mark.parametrize("name", NAMES)
def test_the_defaults_are_those_of_the_config(name: str) -> None:
    config = yaml.safe_load((CONFIGS / "predictor" / f"{name}.yaml").read_text())
    factory: Any = predictor(name)
    assert config.pop("_target_") == f"{factory.func.__module__}.{factory.func.__name__}"
    assert config.pop("_partial_") is True
    defaults = {key: one.default for key, one in inspect.signature(factory.func).parameters.items()}
    assert {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()} == defaults


def test_every_option_of_the_group_has_a_name() -> None:
    assert sorted(path.stem for path in (CONFIGS / "predictor").glob("*.yaml")) == NAMES


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("ridge", {"alphas": []}, r"predictor\.alphas needs positive numbers, got \[\]"),
        ("ridge", {"alphas": [1.0, -1.0]}, r"predictor\.alphas"),
        ("svr_rbf", {"gammas": [0]}, r"predictor\.gammas"),
        ("svr_rbf", {"costs": []}, r"predictor\.costs"),
        ("svr_linear", {"epsilons": [-0.1]}, r"predictor\.epsilons"),
        ("svr_linear", {"folds": 1}, r"predictor\.folds needs at least 2, got 1"),
        ("stacked", {"alphas": [0.0]}, r"predictor\.alphas"),
        ("stacked", {"folds": 0}, r"predictor\.folds"),
        ("mlp", {"hidden": [0]}, r"predictor\.hidden"),
        ("mlp", {"iterations": 0}, r"predictor\.iterations needs at least 1, got 0"),
        ("mlp", {"folds": 1}, r"predictor\.folds"),
        ("ridge", {"alpha": 1}, "predictor 'ridge' cannot take these settings: .*'alpha'"),
        ("svm", {}, "unknown predictor 'svm': choose one of gp, mlp, ridge, stacked, svr_linear, svr_rbf"),
    ],
)
def test_senseless_settings_are_refused(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        predictor(name, **settings)


def test_the_default_search_loads_nothing_heavy_to_predict() -> None:
    code = (
        "import sys, dynas.modes.linas, dynas.predictors.gp_average; "
        "print(sorted({'sklearn', 'pandas', 'scipy.stats', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
