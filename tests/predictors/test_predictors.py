from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge as SkRidge
from sklearn.linear_model import RidgeCV
from sklearn.neural_network import MLPRegressor
from sklearn.svm import SVR

from dynas import SearchSpace
from dynas.core.problem import Batch, make_batch
from dynas.predictors.fitting import make_folds, standardised
from dynas.predictors.mlp import forward
from dynas.predictors.ridge import Ridge
from dynas.predictors.stacked import Stacked
from dynas.predictors.surrogate import cross_validate, enough, fit_surrogate, quality, training_sets
from dynas.predictors.svr import Search, SvrLinear, SvrRbf

ALPHAS = (0.01, 0.1, 1.0, 10.0)


def make_ridge() -> Ridge:
    return Ridge(ALPHAS)


RIDGES = {"quality": make_ridge, "noise": make_ridge}


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


@pytest.mark.parametrize("folds", [5, 30])
def test_leaving_folds_out_in_closed_form_equals_fitting_without_them(folds: int, mbv3_space: SearchSpace) -> None:
    features = mbv3_space.one_hot(mbv3_space.sample_distinct(30, np.random.default_rng(0)))
    target = features @ np.random.default_rng(1).standard_normal(features.shape[1]) + 50
    ridge, refitted = Ridge([0.5]), np.empty(30)
    ridge.fit(features, target)
    for train, test in make_folds(30, folds):
        refitted[test] = SkRidge(0.5).fit(features[train], target[train]).predict(features[test])
    np.testing.assert_allclose(ridge.out_of_fold(features, target, make_folds(30, folds)), refitted, rtol=1e-6)


@pytest.mark.parametrize(("kernel", "model"), [("rbf", SvrRbf([0.5], [3.0], [0.1])), ("lin", SvrLinear([3.0], [0.1]))])
def test_support_vectors_predict_what_scikit_learn_predicts(kernel: str, model: Any, mbv3_space: SearchSpace) -> None:
    features, new = (mbv3_space.one_hot(mbv3_space.sample(n, np.random.default_rng(n))) for n in (80, 30))
    target = 75 + features @ np.random.default_rng(1).standard_normal(features.shape[1])
    model.fit(features, target)
    centred = features - features.mean(axis=0)
    spread = np.mean((centred**2).sum(axis=1))  # half of the mean squared distance between examples
    wanted = (
        SVR(kernel="rbf", gamma=0.5 / (2 * spread), C=3, epsilon=0.1)
        if kernel == "rbf"
        else SVR(kernel="linear", C=3 / spread, epsilon=0.1)
    )
    scaled = wanted.fit(features, (target - target.mean()) / target.std()).predict(new)
    np.testing.assert_allclose(model.predict(new), scaled * target.std() + target.mean(), rtol=2e-4)


def test_the_perceptron_predicts_what_scikit_learn_predicts(mbv3_space: SearchSpace) -> None:
    features, new = (mbv3_space.one_hot(mbv3_space.sample(n, np.random.default_rng(n))) for n in (40, 30))
    target = features @ np.random.default_rng(1).standard_normal(features.shape[1])
    network = MLPRegressor(hidden_layer_sizes=(20, 10), solver="lbfgs", max_iter=30, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.fit(features, target)
    np.testing.assert_allclose(forward(network, new), network.predict(new), rtol=1e-9)


def test_hyper_parameters_follow_the_noise(mbv3_space: SearchSpace) -> None:
    features = mbv3_space.one_hot(mbv3_space.sample_distinct(100, np.random.default_rng(0)))
    signal = features @ np.random.default_rng(1).standard_normal(features.shape[1])
    kernel = features @ features.T / 45
    search = Search((0.01, 10.0), (0.1,), 5)
    clean, noise = (
        search.run([lambda: kernel], standardised(target)[0])
        for target in (signal, np.random.default_rng(2).standard_normal(100))
    )
    assert (clean.cost, noise.cost) == (10.0, 0.01)


def test_stacking_leans_on_the_better_of_the_two(mbv3_space: SearchSpace) -> None:
    features = mbv3_space.one_hot(mbv3_space.sample_distinct(700, np.random.default_rng(0)))
    target = features @ np.random.default_rng(1).standard_normal(features.shape[1])
    errors = []
    for make in (Ridge, SvrRbf, Stacked):
        model = make()
        model.fit(features[:300], target[:300])
        errors.append(float(np.std(model.predict(features[300:]) - target[300:])))
    ridge, rbf, stacked = errors
    assert ridge < 0.1 * rbf, "a linear problem, where the mean of the two would be off by half of rbf's error"
    assert stacked < 0.25 * rbf


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
        analytic_mbv3.problem(n_objectives), RIDGES, measured(analytic_mbv3, 400, n_objectives=n_objectives)
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
    surrogate = fit_surrogate(analytic_mbv3.problem(2, bound), RIDGES, measured(analytic_mbv3, 50))
    rows = analytic_mbv3.space.sample(100, np.random.default_rng(9))
    wanted = np.maximum(analytic_mbv3.cost(rows) - bound, 0) / bound
    np.testing.assert_allclose(surrogate(rows).violation, wanted)


def test_failed_measurements_are_no_examples(analytic_mbv3: Any) -> None:
    ((features, values),) = training_sets(
        analytic_mbv3.problem(), RIDGES, measured(analytic_mbv3, 30, failed=10)
    ).values()
    assert features.shape == (20, 135)
    assert np.isfinite(values).all()
    assert (values > 0).all(), "values, not losses"


def test_what_is_known_of_one_objective_is_learned_by_its_predictor_alone(analytic_mbv3: Any) -> None:
    problem, batch = analytic_mbv3.problem(3), measured(analytic_mbv3, 30, 0, 3)
    others = analytic_mbv3.space.sample_distinct(200, np.random.default_rng(5))
    genotypes = np.concatenate([batch.genotypes[:7], others])
    known = {"quality": (genotypes, analytic_mbv3.quality(genotypes))}
    sets = training_sets(problem, RIDGES, batch, known=known)
    assert [len(target) for _, target in sets.values()] == [230, 30], "what is measured counts once"
    assert sets["quality"][1][-30:].tolist() == analytic_mbv3.quality(batch.genotypes).tolist()
    alone, taught = (
        cross_validate(fit_surrogate(problem, RIDGES, batch, known=one), RIDGES, batch, one) for one in ({}, known)
    )
    assert [one.examples for one in taught] == [230, 30]
    assert taught[0].mape < alone[0].mape / 2
    assert taught[1] == alone[1]


class Few(Ridge):
    most = 12


def test_one_that_wants_few_examples_is_told_the_best_fronts_and_then_what_is_known(analytic_mbv3: Any) -> None:
    problem, batch = analytic_mbv3.problem(3), measured(analytic_mbv3, 30, 0, 3)
    others = analytic_mbv3.space.sample_distinct(50, np.random.default_rng(5))
    known = {"quality": (others, analytic_mbv3.quality(others))}
    makers = {"quality": lambda: Few(ALPHAS), "noise": make_ridge}
    sets = training_sets(problem, makers, batch, known=known)
    assert [len(target) for _, target in sets.values()] == [12, 30]
    told, front = sets["quality"][1], analytic_mbv3.quality(batch.front().genotypes)
    assert set(told) <= set(front) if len(front) >= 12 else set(front) <= set(told)
    few = training_sets(problem, makers, batch.select(np.arange(8)), known=known)["quality"]
    assert len(few[1]) == 12
    assert few[1][4:].tolist() == analytic_mbv3.quality(batch.genotypes[:8]).tolist()
    assert set(few[1][:4]) <= set(known["quality"][1])
    assert cross_validate(fit_surrogate(problem, makers, batch), makers, batch)[0].examples == 12


@pytest.mark.parametrize(("n", "failed", "so"), [(4, 0, False), (5, 0, True), (10, 6, False), (10, 5, True)])
def test_five_successful_measurements_are_enough_to_learn_from(
    analytic_mbv3: Any, n: int, failed: int, so: bool
) -> None:
    assert enough(measured(analytic_mbv3, n, failed)) is so


def validated(problem: Any, make_predictors: Any, batch: Any) -> Any:
    return cross_validate(fit_surrogate(problem, make_predictors, batch), make_predictors, batch)


def test_cross_validation_finds_few_errors_where_many_examples_are_noiseless(analytic_mbv3: Any) -> None:
    few, many = (validated(analytic_mbv3.problem(3), RIDGES, measured(analytic_mbv3, n, 0, 3)) for n in (20, 400))
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

    (result,) = validated(analytic_mbv3.problem(), {"quality": ByHeart}, measured(analytic_mbv3, 50))
    assert result.mape == pytest.approx(100)
    assert result.kendall_tau == 0


@given(st.integers(5, 30), st.integers(0, 100))
def test_cross_validation_works_from_five_examples_on(analytic_mbv3: Any, n: int, failed: int) -> None:
    failed = min(failed, n - 5)
    (result,) = validated(analytic_mbv3.problem(), RIDGES, measured(analytic_mbv3, n, failed))
    assert result.examples == n - failed
    assert np.isfinite(result.mape)
