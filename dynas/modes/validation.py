"""Validation-only search: every candidate of the algorithm is measured."""

from __future__ import annotations

import numpy as np

from dynas.algos.base import AlgorithmFactory
from dynas.evaluate import Evaluator, Observer
from dynas.predictors.base import PredictorFactory


class Validation:
    """The algorithm alone on real measurements (Cummings et al. 2022, section 3.2)."""

    def run(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        make_predictor: PredictorFactory,
        rng: np.random.Generator,
        observer: Observer | None = None,
    ) -> None:
        """Ask, measure, tell (see `dynas.modes.base.SearchMode`)."""
        problem = evaluate.problem
        algorithm = make_algorithm(problem.space, len(problem.objectives), rng)
        while evaluate.remaining and len(candidates := algorithm.ask()):
            algorithm.tell(evaluate(candidates))
