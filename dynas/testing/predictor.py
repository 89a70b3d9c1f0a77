"""What every predictor promises (see `dynas.core.predictor`)."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import numpy as np
import pytest

from dynas.core.objectives import Values
from dynas.core.predictor import Predictor, PredictorFactory
from dynas.core.space import SearchSpace
from dynas.testing.spaces import wide


@cache
def _space() -> SearchSpace:
    return wide()


def examples(n: int, seed: int = 0) -> Values:
    """Return the features ``(n, D)`` of distinct sub-networks of the wide space."""
    return _space().one_hot(_space().sample_distinct(n, np.random.default_rng(seed)))


def linear_target(features: Values, noise: float, seed: int = 0) -> Values:
    """Return one weight per option, scaled to unit deviation, and noise in that deviation."""
    weights = np.random.default_rng(42).standard_normal(features.shape[1])
    signal = features @ weights
    scaled: Values = (signal - signal.mean()) / signal.std()
    return scaled + np.random.default_rng(seed).normal(0, noise, len(features))


def error(predicted: Values, target: Values) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((predicted - target) ** 2)))


class PredictorSuite:
    """Checks a predictor; subclass it in a test module and say how the predictor is made.

    A check of what yours does not promise is left out by setting it to None.

    Attributes:
        make: makes the predictor; a function is wrapped in ``staticmethod``.
    """

    make: ClassVar[PredictorFactory]

    def fitted(self, features: Values, target: Values) -> Predictor:
        """Return a predictor that has learnt from features ``(n, D)`` and values ``(n,)``."""
        model = type(self).make()
        model.fit(features, target)
        return model

    def test_the_same_data_gives_the_same_predictions_and_a_refit_forgets(self) -> None:
        """And predictions are one float per row."""
        features, new = examples(40), examples(10, 1)
        target = linear_target(features, 0.1)
        first = self.fitted(features, target).predict(new)
        again = self.fitted(features, -3 * target[::-1] + 100)
        again.fit(features, target)
        np.testing.assert_array_equal(again.predict(new), first)
        assert first.shape == (10,)
        assert first.dtype == np.float64

    def test_fitting_leaves_the_data_alone(self) -> None:
        """As does predicting."""
        features = examples(20)
        target = linear_target(features, 0.1)
        before = features.copy(), target.copy()
        self.fitted(features, target).predict(features)
        np.testing.assert_array_equal(features, before[0])
        np.testing.assert_array_equal(target, before[1])

    @pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (1e9, -3e9), (0.5, 75.0)])
    def test_another_unit_of_the_target_changes_nothing(self, scale: float, shift: float) -> None:
        """Within the tolerance of a fit that iterates."""
        features, new = examples(60), examples(20, 1)
        target = linear_target(features, 0.1)
        plain = self.fitted(features, target).predict(new)
        scaled = (self.fitted(features, scale * target + shift).predict(new) - shift) / scale
        np.testing.assert_allclose(scaled, plain, atol=0.05)

    def test_it_beats_the_mean_on_a_noisy_linear_problem(self) -> None:
        """By a quarter at least."""
        features = examples(450)
        target = linear_target(features, 0.3)
        predicted = self.fitted(features[:150], target[:150]).predict(features[150:])
        assert error(predicted, target[150:]) < 0.75 * target[150:].std()

    @pytest.mark.parametrize("value", [0.0, 0.1, 75.0, -3e9])
    @pytest.mark.filterwarnings("error")
    def test_a_constant_target_is_predicted_as_that_constant(self, value: float) -> None:
        """Without a warning."""
        features, new = examples(20), examples(5, 1)
        np.testing.assert_allclose(self.fitted(features, np.full(20, value)).predict(new), value, rtol=1e-12)

    @pytest.mark.parametrize("n", [2, 5])
    @pytest.mark.filterwarnings("error")
    def test_few_examples_are_enough_for_a_finite_guess_near_them(self, n: int) -> None:
        """Without a warning."""
        features, new = examples(n), examples(100, 1)
        target = linear_target(features, 0.0)
        predicted = self.fitted(features, target).predict(new)
        assert np.isfinite(predicted).all()
        assert predicted.min() > target.min() - 5
        assert predicted.max() < target.max() + 5

    def test_a_guess_from_five_examples_goes_the_right_way(self) -> None:
        """Two of them are better than three."""
        features = np.eye(2)[[0, 0, 0, 1, 1]] + np.zeros((5, 2))
        first, second = self.fitted(features, np.array([1.0, 1.1, 0.9, 2.0, 2.1])).predict(np.eye(2))
        assert first < second

    def test_a_batch_is_predicted_like_its_rows(self) -> None:
        """And an empty one gives nothing."""
        features, new = examples(50), examples(20, 1)
        model = self.fitted(features, linear_target(features, 0.1))
        one_by_one = np.concatenate([model.predict(row[None]) for row in new])
        np.testing.assert_allclose(model.predict(new), one_by_one, rtol=1e-9, atol=1e-9)
        assert model.predict(new[:0]).shape == (0,)

    def test_predictions_far_from_the_examples_are_finite(self) -> None:
        """The examples differ from the smallest sub-network in at most one gene, the largest is asked for."""
        near = _space().smallest()[None].repeat(30, axis=0)
        near[np.arange(30), np.arange(30)] = 1
        features = _space().one_hot(_space().canonical(near))
        model = self.fitted(features, linear_target(features, 0.1))
        assert np.isfinite(model.predict(_space().one_hot(_space().largest()[None]))).all()

    def test_repeated_examples_do_no_harm(self) -> None:
        """Not even if there is nothing else, with values that contradict each other."""
        features = np.repeat(examples(10), 3, axis=0)
        target = linear_target(features, 0.1)
        assert np.isfinite(self.fitted(features, target).predict(features)).all()
        same = np.repeat(features[:1], 6, axis=0)
        predicted = self.fitted(same, np.arange(6.0)).predict(same[:1])
        assert predicted == pytest.approx(2.5, abs=0.7)
