"""Gaussian processes: gradients, leave-one-out and samples against their definitions, and their average."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from dynas import DesignVariable, DynasError, SearchSpace
from dynas.core.objectives import Objective, Values
from dynas.core.predictor import PosteriorPredictor
from dynas.predictors.features import feature_genes, levels, one_hot
from dynas.predictors.fitted import fit_predictor
from dynas.predictors.gp import FEWER, MANY, GaussianProcess, _Posterior
from dynas.predictors.gp_average import GaussianProcessAverage
from dynas.predictors.named import predictor

SPACE = SearchSpace([DesignVariable("kind", tuple("abcd"), 8), DesignVariable("width", tuple(range(20)))])
GENES = feature_genes(SPACE, levels)
KINDS = [pytest.param(None, id="shared"), pytest.param(GENES, id="by_gene")]


def examples(n: int, seed: int = 0) -> tuple[Values, Values]:
    """Return features ``(n, D)`` and a target ``(n,)`` of pairs of options that work together."""
    rows = SPACE.sample_distinct(n, np.random.default_rng(seed))
    table = np.random.default_rng(1).normal(size=(4, 4, 4))
    target = sum(table[pair][rows[:, 2 * pair], rows[:, 2 * pair + 1]] for pair in range(4)) + rows[:, 8] / 10
    return levels(SPACE, rows), np.asarray(target)


@pytest.mark.parametrize("genes", KINDS)
def test_the_gradient_is_that_of_the_posterior(genes: Values | None) -> None:
    features, target = examples(30)
    told = features if genes is None else features[:, genes >= 0]
    process = GaussianProcess(genes=genes)
    posterior = _Posterior(
        features @ features.T, told, None if genes is None else genes[genes >= 0], target, process._priors
    )
    theta = process.theta + np.random.default_rng(2).normal(scale=0.3, size=len(process.theta))
    wanted = approx_fprime(theta, lambda one: posterior(one)[0], 1e-6)
    np.testing.assert_allclose(posterior(theta)[1], wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("genes", KINDS)
def test_leaving_one_out_in_closed_form_equals_learning_without_it(genes: Values | None) -> None:
    features, target = examples(40)
    features, target = features - features.mean(axis=0), target - target.mean()
    process = GaussianProcess(genes=genes)
    process.fit(features, target)
    kernel = np.linalg.inv(np.linalg.inv(process._factor[0] @ process._factor[0].T))  # its lower triangle is not 0
    lower = np.tril(process._factor[0])
    kernel = lower @ lower.T
    others = np.arange(40) != 7
    wanted = kernel[7, others] @ np.linalg.solve(kernel[np.ix_(others, others)], target[others])
    assert process.left_out()[7] == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("genes", KINDS)
def test_samples_have_the_mean_and_the_deviation_that_are_told(genes: Values | None) -> None:
    features, target = examples(60)
    process = GaussianProcess(genes=genes)
    process.fit(features[:40], target[:40])
    drawn = process.sample(features[40:], 4000, np.random.default_rng(0))
    assert drawn.shape == (4000, 20)
    deviation = process.std(features[40:])
    np.testing.assert_allclose(drawn.std(axis=0), deviation, rtol=0.1)
    assert (np.abs(drawn.mean(axis=0) - process.predict(features[40:])) < 0.1 * deviation).all()
    same = process.sample(np.repeat(features[40:41], 2, axis=0), 50, np.random.default_rng(0))
    np.testing.assert_allclose(same[:, 0], same[:, 1], atol=0.02 * deviation.max())


def test_the_average_trusts_the_process_that_fits_the_problem() -> None:
    features, target = examples(300)
    average = GaussianProcessAverage()
    average.genes = GENES
    average.fit(features[:200], target[:200])
    assert average.weights[1] > 0.9, "pairs of options are seen gene by gene"
    error = np.std(average.predict(features[200:]) - target[200:])
    plain = GaussianProcess()
    plain.fit(features[:200], target[:200])
    assert error < 0.8 * np.std(plain.predict(features[200:]) - target[200:])
    assert average.std(features[200:]).shape == average.left_out()[:100].shape == (100,)


def test_an_average_of_equals_includes_their_disagreement() -> None:
    features, target = examples(60)
    average = GaussianProcessAverage()
    average.genes = GENES
    average.fit(features[:40], target[:40])
    average.weights = np.array([0.5, 0.5])
    means = np.stack([process.predict(features[40:]) for process in average._processes])
    np.testing.assert_allclose(average.predict(features[40:]), means.mean(axis=0))
    drawn = average.sample(features[40:], 6000, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.std(axis=0), average.std(features[40:]), rtol=0.15)
    assert (average.std(features[40:]) >= means.std(axis=0)).all()


def test_without_knowing_the_genes_there_is_one_length_scale() -> None:
    features, target = examples(40)
    average, plain = GaussianProcessAverage(), GaussianProcess()
    for model in (average, plain):
        model.fit(features, target)
    np.testing.assert_array_equal(average.predict(features), plain.predict(features))


def test_the_genes_of_features_are_told_to_those_that_ask() -> None:
    features, target = examples(40)
    fitted = fit_predictor(Objective("quality", "max", "1"), predictor("gp"), features, target, GENES)
    assert isinstance(fitted, GaussianProcessAverage)
    assert len(fitted.weights) == 2


def test_logarithms_are_sampled_and_left_out_in_the_unit_of_the_values() -> None:
    features, target = examples(60)
    latency = np.exp(2 * target)
    fitted = fit_predictor(Objective("latency", "min", "ms"), predictor("gp"), features, latency, GENES)
    assert isinstance(fitted, PosteriorPredictor)
    assert (fitted.sample(features, 5, np.random.default_rng(0)) > 0).all()
    assert np.corrcoef(np.log(fitted.left_out()), np.log(latency))[0, 1] > 0.5


def test_processes_that_are_none_are_refused() -> None:
    with pytest.raises(DynasError, match=r"predictor\.processes.*shared"):
        GaussianProcessAverage(["both"])
    with pytest.raises(DynasError, match=r"predictor\.processes"):
        GaussianProcessAverage([])
    with pytest.raises(DynasError, match=r"predictor\.iterations"):
        GaussianProcessAverage(iterations=0)


def test_features_know_their_genes() -> None:
    assert GENES is not None
    width = levels(SPACE, SPACE.smallest()[None]).shape[1]
    assert len(GENES) == width
    assert sorted(set(GENES)) == list(range(-1, 9))
    np.testing.assert_array_equal(np.bincount(GENES[GENES >= 0]), [4] * 9)  # 20 ordered widths have 4 knots
    plain = feature_genes(SPACE, one_hot)
    assert plain is not None
    np.testing.assert_array_equal(np.bincount(plain), [4] * 8 + [20])
    assert feature_genes(SPACE, lambda space, rows: rows.astype(float)) is None


def test_variances_are_learned_from_some_of_many_examples_and_values_from_all() -> None:
    features, target = examples(600)
    process = GaussianProcess()
    process.fit(features, target)
    some = np.unique(np.linspace(0, 599, FEWER).astype(int))
    assert len(features) > MANY
    other = GaussianProcess()
    other.fit(features[some], target[some])
    assert np.exp(process.theta[:2]) == pytest.approx(np.exp(other.theta[:2]), rel=0.3)
    rest = np.setdiff1d(np.arange(600), some)
    assert process.std(features[rest]).mean() < 0.8 * other.std(features[rest]).mean()
