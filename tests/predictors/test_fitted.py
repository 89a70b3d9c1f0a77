"""The scale that predictors learn on."""

from __future__ import annotations

import numpy as np
import pytest

from dynas.core.objectives import Objective, Values
from dynas.core.predictor import ProbabilisticPredictor
from dynas.predictors.fitted import fit_predictor
from dynas.predictors.named import CLASSES, predictor
from dynas.predictors.surrogate import quality

LATENCY, QUALITY = Objective("latency", "min", "ms"), Objective("top1", "max", "%")


def examples(n: int, span: float) -> tuple[Values, Values]:
    """Return features ``(n, 12)`` and positive values ``(n,)``: products of factors, over ``span`` or so."""
    rng = np.random.default_rng(0)
    features = rng.integers(0, 2, (n, 12)).astype(float)
    weights = rng.uniform(0.2, 1, 12)
    return features, np.exp(np.log(span) * features @ weights / weights.sum()) * rng.normal(1, 0.01, n)


@pytest.mark.parametrize("name", CLASSES)
def test_a_cost_over_a_wide_range_is_learned_by_its_ratios(name: str) -> None:
    features, values = examples(150, span=1e4)
    train, test = slice(0, 100), slice(100, 150)
    fitted = fit_predictor(LATENCY, predictor(name), features[train], values[train])
    plain = predictor(name)()
    plain.fit(features[train], values[train])
    assert fitted.predict(features[test]).min() > 0
    errors, plain_errors = (quality("latency", values[test], one.predict(features[test])) for one in (fitted, plain))
    assert errors.mape < 25
    assert errors.mape < plain_errors.mape / 3
    assert errors.kendall_tau > 0.9


@pytest.mark.parametrize(("objective", "span"), [(LATENCY, 3), (QUALITY, 1e4)], ids=["narrow", "quality"])
def test_all_else_is_learned_as_it_is(objective: Objective, span: float) -> None:
    features, values = examples(60, span)
    plain = predictor("ridge")()
    plain.fit(features, values)
    fitted = fit_predictor(objective, predictor("ridge"), features, values)
    np.testing.assert_array_equal(fitted.predict(features), plain.predict(features))


def test_how_far_off_a_prediction_may_be_is_told_in_the_unit_of_the_values() -> None:
    features, values = examples(100, span=1e4)
    fitted = fit_predictor(LATENCY, predictor("gp"), features[:60], values[:60])
    assert isinstance(fitted, ProbabilisticPredictor)
    unseen, known = features[60:], features[:60]
    step = fitted.std(unseen)
    assert (step > 0).all()
    assert np.mean(np.abs(fitted.predict(unseen) - values[60:]) < 3 * step + 0.05 * values[60:]) > 0.9
    assert (fitted.std(known) / fitted.predict(known)).mean() < (step / fitted.predict(unseen)).mean()
    assert not isinstance(fit_predictor(LATENCY, predictor("ridge"), features, values), ProbabilisticPredictor)
