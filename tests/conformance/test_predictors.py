"""What every predictor promises (see `dynas.core.predictor`), over all of them; new ones join by `CLASSES`."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import yaml

from dynas import DesignVariable, DynasError, SearchSpace
from dynas.core.objectives import Values
from dynas.core.predictor import Predictor
from dynas.predictors.named import CLASSES, predictor
from dynas.system.folders import CONFIGS

NAMES = sorted(CLASSES)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fitted(name: str, features: Values, target: Values) -> Predictor:
    model = predictor(name)()
    model.fit(features, target)
    return model


def examples(space: SearchSpace, n: int, seed: int = 0) -> Values:
    return space.one_hot(space.sample_distinct(n, np.random.default_rng(seed)))


def linear_target(features: Values, noise: float, seed: int = 0) -> Values:
    """Return one weight per option, scaled to unit deviation, and noise in that deviation."""
    weights = np.random.default_rng(42).standard_normal(features.shape[1])
    signal = features @ weights
    return (signal - signal.mean()) / signal.std() + np.random.default_rng(seed).normal(0, noise, len(features))


def error(predicted: Values, target: Values) -> float:
    return float(np.sqrt(np.mean((predicted - target) ** 2)))


def test_the_same_data_gives_the_same_predictions_and_a_refit_forgets(name: str, mbv3_space: SearchSpace) -> None:
    features, new = examples(mbv3_space, 40), examples(mbv3_space, 10, 1)
    target = linear_target(features, 0.1)
    first = fitted(name, features, target).predict(new)
    again = fitted(name, features, -3 * target[::-1] + 100)
    again.fit(features, target)
    np.testing.assert_array_equal(again.predict(new), first)
    assert first.shape == (10,)
    assert first.dtype == np.float64


def test_fitting_leaves_the_data_alone(name: str, mbv3_space: SearchSpace) -> None:
    features = examples(mbv3_space, 20)
    target = linear_target(features, 0.1)
    before = features.copy(), target.copy()
    fitted(name, features, target).predict(features)
    np.testing.assert_array_equal(features, before[0])
    np.testing.assert_array_equal(target, before[1])


@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (1e9, -3e9), (0.5, 75.0)])
def test_another_unit_of_the_target_changes_nothing(
    name: str, scale: float, shift: float, mbv3_space: SearchSpace
) -> None:
    features, new = examples(mbv3_space, 60), examples(mbv3_space, 20, 1)
    target = linear_target(features, 0.1)
    plain = fitted(name, features, target).predict(new)
    scaled = (fitted(name, features, scale * target + shift).predict(new) - shift) / scale
    np.testing.assert_allclose(scaled, plain, atol=0.05)  # iterative fits stop at a tolerance


def test_it_beats_the_mean_on_a_noisy_linear_problem(name: str, mbv3_space: SearchSpace) -> None:
    features = examples(mbv3_space, 450)
    target = linear_target(features, 0.3)
    predicted = fitted(name, features[:150], target[:150]).predict(features[150:])
    assert error(predicted, target[150:]) < 0.75 * target[150:].std()


@pytest.mark.parametrize("value", [0.0, 0.1, 75.0, -3e9])
@pytest.mark.filterwarnings("error")
def test_a_constant_target_is_predicted_as_that_constant(name: str, value: float, mbv3_space: SearchSpace) -> None:
    features, new = examples(mbv3_space, 20), examples(mbv3_space, 5, 1)
    np.testing.assert_allclose(fitted(name, features, np.full(20, value)).predict(new), value, rtol=1e-12)


@pytest.mark.parametrize("n", [2, 5])
@pytest.mark.filterwarnings("error")
def test_few_examples_are_enough_for_a_finite_guess_near_them(name: str, n: int, mbv3_space: SearchSpace) -> None:
    features, new = examples(mbv3_space, n), examples(mbv3_space, 100, 1)
    target = linear_target(features, 0.0)
    predicted = fitted(name, features, target).predict(new)
    assert np.isfinite(predicted).all()
    assert predicted.min() > target.min() - 5
    assert predicted.max() < target.max() + 5


def test_a_guess_from_five_examples_goes_the_right_way(name: str) -> None:
    features = np.eye(2)[[0, 0, 0, 1, 1]] + np.zeros((5, 2))
    first, second = fitted(name, features, np.array([1.0, 1.1, 0.9, 2.0, 2.1])).predict(np.eye(2))
    assert first < second


def test_a_batch_is_predicted_like_its_rows(name: str, mbv3_space: SearchSpace) -> None:
    features, new = examples(mbv3_space, 50), examples(mbv3_space, 20, 1)
    model = fitted(name, features, linear_target(features, 0.1))
    one_by_one = np.concatenate([model.predict(row[None]) for row in new])
    np.testing.assert_allclose(model.predict(new), one_by_one, rtol=1e-9, atol=1e-9)
    assert model.predict(new[:0]).shape == (0,)


def test_predictions_far_from_the_examples_are_finite(name: str, mbv3_space: SearchSpace) -> None:
    near = mbv3_space.smallest()[None].repeat(30, axis=0)
    near[np.arange(30), np.arange(30)] = 1  # sub-networks that differ from the smallest in at most one gene
    features = mbv3_space.one_hot(mbv3_space.canonical(near))
    model = fitted(name, features, linear_target(features, 0.1))
    assert np.isfinite(model.predict(mbv3_space.one_hot(mbv3_space.largest()[None]))).all()


def test_repeated_examples_do_no_harm(name: str, mbv3_space: SearchSpace) -> None:
    features = np.repeat(examples(mbv3_space, 10), 3, axis=0)
    target = linear_target(features, 0.1)
    assert np.isfinite(fitted(name, features, target).predict(features)).all()
    same = np.repeat(features[:1], 6, axis=0)
    predicted = fitted(name, same, np.arange(6.0)).predict(same[:1])
    assert predicted == pytest.approx(2.5, abs=0.7)


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
