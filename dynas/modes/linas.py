"""LINAS, lightweight iterative neural architecture search (Cummings et al. 2022, Algorithm 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from dynas.algos.base import AlgorithmFactory, first_population
from dynas.errors import DynasError, one_of
from dynas.evaluate import Evaluator, Observer, Problem
from dynas.modes.base import Predictors, check_algorithm
from dynas.modes.prediction import choose, fill, front_from_afar, search_predictions
from dynas.predictors.surrogate import cross_validate, enough, fit_surrogate
from dynas.space import Genotypes


@dataclass(frozen=True)
class Stage:
    """What LINAS uses in one iteration.

    Attributes:
        population: real evaluations.
        predicted_evaluations: predicted evaluations.
        make_algorithm: makes the inner search.
        make_predictors: make the predictors.
    """

    population: int
    predicted_evaluations: int
    make_algorithm: AlgorithmFactory
    make_predictors: Predictors


class Linas:
    """Alternates a few real measurements with a long search on predictors trained on them.

    Args:
        population: real evaluations per iteration.
        predicted_evaluations: predicted evaluations per iteration.
        schedule: from an iteration (counted from 1) on, attributes of `Stage` that change: each iteration may have
            its own numbers, algorithm and predictors (section 3.3).

    Raises:
        DynasError: numbers that make no sense, or a schedule that changes something else.
    """

    def __init__(
        self,
        population: int = 50,
        predicted_evaluations: int = 20_000,
        schedule: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> None:
        self.population, self.predicted_evaluations = population, predicted_evaluations
        self.schedule = dict(sorted((schedule or {}).items()))
        check_numbers(population, predicted_evaluations)
        names = [field.name for field in fields(Stage)]
        for iteration, changes in self.schedule.items():
            if iteration < 1:
                raise DynasError(f"mode.schedule counts iterations from 1, got {iteration}")
            for name in changes:
                if name not in names:
                    raise one_of("change in mode.schedule", name, names)

    def stage(self, iteration: int, make_algorithm: AlgorithmFactory, make_predictors: Predictors) -> Stage:
        """Return what holds in an iteration, given what holds where the schedule says nothing."""
        stage = Stage(self.population, self.predicted_evaluations, make_algorithm, make_predictors)
        for first, changes in self.schedule.items():
            if first <= iteration:
                stage = replace(stage, **changes)
        return stage

    def check(self, problem: Problem, make_algorithm: AlgorithmFactory) -> None:
        """Raise DynasError where the numbers or the algorithm of an iteration cannot handle the problem."""
        for iteration in (1, *self.schedule):
            stage = self.stage(iteration, make_algorithm, {})
            check_numbers(stage.population, stage.predicted_evaluations)
            check_algorithm(stage.make_algorithm, problem.space, len(problem.objectives))

    def run(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        make_predictors: Predictors,
        rng: np.random.Generator,
        observer: Observer | None = None,
        start: Genotypes | None = None,
    ) -> None:
        """Measure, train, search on predictions, repeat (see `dynas.modes.base.SearchMode`)."""
        first = self.stage(1, make_algorithm, make_predictors)
        candidates = first_population(evaluate.problem.space, first.population, rng, start, set())
        while len(candidates):
            evaluate(candidates)
            if not evaluate.remaining:
                return
            stage = self.stage(evaluate.iteration + 1, make_algorithm, make_predictors)
            inner_rng = rng.spawn(1)[0]  # every iteration has its own seed
            candidates = propose(stage, evaluate, inner_rng, observer)


def propose(stage: Stage, evaluate: Evaluator, rng: np.random.Generator, observer: Observer | None) -> Genotypes:
    """Return the next population: the best of a search on predictions, random where too little could be measured."""
    problem, seen, measured = evaluate.problem, evaluate.seen(), evaluate.measured
    if not enough(measured) or len(seen) == problem.space.size:
        return problem.space.sample_distinct(stage.population, rng, seen)
    surrogate = fit_surrogate(problem, stage.make_predictors, measured)
    if observer is not None:
        observer.fitted(evaluate.iteration, cross_validate(problem, stage.make_predictors, measured))
    algorithm = stage.make_algorithm(problem.space, len(problem.objectives), rng, front_from_afar(measured))
    predicted = search_predictions(surrogate, algorithm, stage.predicted_evaluations)
    return fill(choose(predicted, seen, stage.population), problem.space, seen, stage.population, rng)


def check_numbers(population: int, predicted_evaluations: int) -> None:
    """Raise DynasError where the numbers of an iteration make no sense."""
    if population < 1 or predicted_evaluations < population:
        raise DynasError(
            "mode=linas needs mode.population >= 1 and mode.predicted_evaluations >= mode.population, "
            f"got {population} and {predicted_evaluations}"
        )
