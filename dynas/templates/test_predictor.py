"""Whether the predictor keeps what predictors promise."""

from dynas.templates.predictor import Mine
from dynas.testing import PredictorSuite


class TestMine(PredictorSuite):
    """The suite fits it to made-up examples."""

    make = Mine
