from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import RidgeCV

from dynas import DynasError, SearchSpace
from dynas.evaluate import Batch, make_batch
from dynas.predictors.ridge import Ridge
from dynas.predictors.surrogate import cross_validate, fit_surrogate, quality, training_set

ALPHAS = (0.01, 0.1, 1.0, 10.0)


def make_ridge() -> Ridge:
    return Ridge(ALPHAS)


def measured(analytic: Any, n: int, failed: int = 0, n_objectives: int = 2) -> Batch:
    """Return ``n`` measured rows, the last ``failed`` of which failed."""
    rows = analytic.space.sample_distinct(n, np.random.default_rng(0))
    values = analytic.values(rows, n_objectives)
    values[n - failed :] = np.nan
    return make_batch(analytic.problem(n_objectives), rows, values)


def test_ridge_recovers_a_sum_of_one_weight_per_option(analytic_mbv3: Any) -> None:
    space: SearchSpace = analytic_mbv3.space
    train, test = (space.sample(n, np.random.default_rng(n)) for n in (600, 200))
    ridge = Ridge([1e-6])
    ridge.fit(space.one_hot(train), 1000 + 50 * analytic_mbv3.quality(train))
    np.testing.assert_allclose(ridge.predict(space.one_hot(test)), 1000 + 50 * analytic_mbv3.quality(test), rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_ridge_predicts_what_scikit_learn_predicts(scale: float) -> None:
    rng = np.random.default_rng(0)
    features, new = rng.integers(0, 2, (60, 30)).astype(float), rng.integers(0, 2, (40, 30)).astype(float)
    target = scale * (5 + features @ rng.random(30) + rng.normal(0, 0.5, 60))
    ridge = make_ridge()
    ridge.fit(features, target)
    scaled = (target - target.mean()) / target.std()
    wanted = RidgeCV(ALPHAS).fit(features, scaled).predict(new) * target.std() + target.mean()
    np.testing.assert_allclose(ridge.predict(new), wanted, rtol=1e-9)


def test_ridge_chooses_a_larger_penalty_where_there_is_more_noise() -> None:
    rng = np.random.default_rng(0)
    features = rng.integers(0, 2, (40, 30)).astype(float)
    noise = rng.normal(0, 1.0, 40)
    ridge, weakest = Ridge([1e-3, 1e3]), Ridge([1e-3])
    for predictor in (ridge, weakest):
        predictor.fit(features, noise)
    new = rng.integers(0, 2, (500, 30)).astype(float)
    assert ridge.predict(new).std() < 0.2 * weakest.predict(new).std()


@pytest.mark.parametrize("value", [0.0, 0.1, 75.0, -3e9])
def test_a_constant_target_is_predicted_as_that_constant(value: float) -> None:
    features = np.random.default_rng(0).integers(0, 2, (20, 6)).astype(float)
    ridge = make_ridge()
    ridge.fit(features, np.full(20, value))
    np.testing.assert_allclose(ridge.predict(features), value, rtol=1e-9, atol=1e-12)


def test_two_examples_are_enough_for_ridge() -> None:
    ridge = make_ridge()
    ridge.fit(np.eye(2), np.array([1.0, 2.0]))
    first, second = ridge.predict(np.eye(2))
    assert first < second


def test_fitting_again_forgets_the_first_fit() -> None:
    rng = np.random.default_rng(0)
    features, targets = rng.random((20, 4)), rng.random((2, 20))
    again, fresh = make_ridge(), make_ridge()
    again.fit(features, 100 * targets[0])
    again.fit(features, targets[1])
    fresh.fit(features, targets[1])
    np.testing.assert_array_equal(again.predict(features), fresh.predict(features))


@pytest.mark.parametrize("alphas", [[], [0.0], [1.0, -1.0]])
def test_penalties_must_be_positive(alphas: list[float]) -> None:
    with pytest.raises(DynasError, match=r"predictor\.alphas needs positive numbers"):
        Ridge(alphas)


@pytest.mark.parametrize(
    ("target", "predicted", "mape", "tau"),
    [
        ([1.0, 2.0, 4.0], [1.1, 1.8, 4.0], 20 / 3, 1.0),
        ([1.0, 2.0, 4.0], [4.0, 2.0, 1.0], 125.0, -1.0),
        ([1.0, 2.0, 4.0], [1.0, 4.0, 2.0], 50.0, 1 / 3),
        ([-80.0, -50.0], [-72.0, -55.0], 10.0, 1.0),  # losses of an objective that is maximised
        ([0.0, 2.0, 4.0], [9.0, 2.2, 4.0], 5.0, -1 / 3),  # a measured 0 has no percentage error
        ([0.0, 0.0], [1.0, 2.0], 0.0, 0.0),
        ([3.0, 3.0, 3.0], [1.5, 3.0, 4.5], 100 / 3, 0.0),
        ([1.0, 2.0, 4.0], [2.0, 2.0, 2.0], 50.0, 0.0),
    ],
)
@pytest.mark.filterwarnings("error")
def test_the_quality_of_predictions_computed_by_hand(
    target: list[float], predicted: list[float], mape: float, tau: float
) -> None:
    result = quality("top1", np.array(target), np.array(predicted))
    assert (result.objective, result.examples) == ("top1", len(target))
    assert result.mape == pytest.approx(mape)
    assert result.kendall_tau == pytest.approx(tau)


@pytest.mark.parametrize("n_objectives", [2, 3])
def test_a_surrogate_computes_exact_objectives_and_predicts_the_others(analytic_mbv3: Any, n_objectives: int) -> None:
    surrogate = fit_surrogate(
        analytic_mbv3.problem(n_objectives), make_ridge, measured(analytic_mbv3, 400, n_objectives=n_objectives)
    )
    rows = analytic_mbv3.space.sample(100, np.random.default_rng(9))
    batch = surrogate(rows)
    np.testing.assert_array_equal(batch.genotypes, rows)
    np.testing.assert_array_equal(batch.losses[:, 0], analytic_mbv3.cost(rows))
    np.testing.assert_allclose(batch.losses[:, 1], -analytic_mbv3.quality(rows), rtol=0.01)
    if n_objectives == 3:
        np.testing.assert_allclose(batch.losses[:, 2], analytic_mbv3.noise(rows), rtol=0.01)
    assert (batch.violation == 0).all()


def test_a_surrogate_predicts_how_far_a_bound_is_exceeded(analytic_mbv3: Any) -> None:
    bound = analytic_mbv3.cost_bound(0.5)
    surrogate = fit_surrogate(analytic_mbv3.problem(2, bound), make_ridge, measured(analytic_mbv3, 50))
    rows = analytic_mbv3.space.sample(100, np.random.default_rng(9))
    wanted = np.maximum(analytic_mbv3.cost(rows) - bound, 0) / bound
    np.testing.assert_allclose(surrogate(rows).violation, wanted)


def test_failed_measurements_are_no_examples(analytic_mbv3: Any) -> None:
    features, values = training_set(analytic_mbv3.problem(), measured(analytic_mbv3, 30, failed=10))
    assert features.shape == (20, 135)
    assert np.isfinite(values).all()
    assert (values[:, 1] > 0).all(), "values, not losses"


@pytest.mark.parametrize(("n", "failed"), [(4, 0), (10, 6), (10, 10), (0, 0)])
def test_too_few_measurements_to_learn_from_are_refused(analytic_mbv3: Any, n: int, failed: int) -> None:
    batch = measured(analytic_mbv3, n, failed)
    for use in (fit_surrogate, cross_validate):
        with pytest.raises(DynasError, match=f"only {n - failed} of {n} sub-networks could be measured"):
            use(analytic_mbv3.problem(), make_ridge, batch)


def test_cross_validation_finds_few_errors_where_many_examples_are_noiseless(analytic_mbv3: Any) -> None:
    few, many = (
        cross_validate(analytic_mbv3.problem(3), make_ridge, measured(analytic_mbv3, n, 0, 3)) for n in (20, 400)
    )
    assert [result.objective for result in many] == ["quality", "noise"], "exact ones are not predicted"
    for worse, better in zip(few, many, strict=True):
        assert better.mape < 0.5
        assert better.kendall_tau > 0.95
        assert worse.mape > 2 * better.mape


def test_cross_validation_sees_through_a_predictor_that_learns_by_heart(analytic_mbv3: Any) -> None:
    class ByHeart:
        def fit(self, features: np.ndarray, target: np.ndarray) -> None:
            self.known = {row.tobytes(): value for row, value in zip(features, target, strict=True)}

        def predict(self, features: np.ndarray) -> np.ndarray:
            return np.array([self.known.get(row.tobytes(), 0.0) for row in features])

    (result,) = cross_validate(analytic_mbv3.problem(), ByHeart, measured(analytic_mbv3, 50))
    assert result.mape == pytest.approx(100)
    assert result.kendall_tau == 0


@given(st.integers(5, 30), st.integers(0, 100))
def test_cross_validation_works_from_five_examples_on(analytic_mbv3: Any, n: int, failed: int) -> None:
    failed = min(failed, n - 5)
    (result,) = cross_validate(analytic_mbv3.problem(), make_ridge, measured(analytic_mbv3, n, failed))
    assert result.examples == n - failed
    assert np.isfinite(result.mape)
