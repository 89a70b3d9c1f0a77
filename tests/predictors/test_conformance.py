"""Every predictor that `dynas.predictors.named` knows keeps what all promise; one of a user's own does, too."""

from __future__ import annotations

from dynas.predictors.named import CLASSES, predictor
from dynas.testing import PredictorSuite
from tests.helpers.own.mine import Mean


def suite(name: str) -> type[PredictorSuite]:
    """Return the checks of one of ours."""
    return type(f"Test_{name}", (PredictorSuite,), {"make": staticmethod(predictor(name))})


globals().update({f"Test_{name}": suite(name) for name in CLASSES})


class TestMean(PredictorSuite):
    make = Mean
    test_it_beats_the_mean_on_a_noisy_linear_problem = None
    test_a_guess_from_five_examples_goes_the_right_way = None
