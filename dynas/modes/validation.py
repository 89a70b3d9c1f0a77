"""Validation-only search: every candidate of the algorithm is measured."""

from __future__ import annotations

import numpy as np

from dynas.algos.random import RandomSearch
from dynas.core.algorithm import AlgorithmFactory
from dynas.core.evaluation import Observer
from dynas.core.evaluator import Evaluator
from dynas.core.mode import Predictors
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.modes.base import check_algorithm, warn_of_budget


class Validation:
    """The algorithm alone on real measurements (Cummings et al. 2022, section 3.2)."""

    def check(self, problem: Problem, make_algorithm: AlgorithmFactory) -> None:
        """Raise DynasError where the algorithm cannot handle the problem."""
        check_algorithm(make_algorithm, problem.space, len(problem.objectives))

    def run(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        make_predictors: Predictors,
        rng: np.random.Generator,
        observer: Observer | None = None,
        start: Genotypes | None = None,
    ) -> None:
        """Ask, measure, tell (see `dynas.core.mode.SearchMode`)."""
        problem = evaluate.problem
        algorithm = make_algorithm(problem.space, len(problem.objectives), rng, start)
        while evaluate.remaining and len(candidates := algorithm.ask()):
            if not evaluate.iteration and not isinstance(algorithm, RandomSearch):  # which never learns anything
                warn_of_budget(evaluate, len(candidates), "algo.population", 2 * len(candidates))
            algorithm.tell(evaluate(candidates))
