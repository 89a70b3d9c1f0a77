"""LINAS, lightweight iterative neural architecture search (Cummings et al. 2022, Algorithm 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from dynas.algos.base import first_population
from dynas.core.activity import doing
from dynas.core.algorithm import AlgorithmFactory
from dynas.core.evaluation import Observer
from dynas.core.evaluator import Evaluator
from dynas.core.mode import Predictors
from dynas.core.problem import Problem, concatenate
from dynas.core.space import Genotypes
from dynas.errors import DynasError, one_of
from dynas.modes.base import check_algorithm, warn_of_budget
from dynas.modes.initial_design import DESIGNS
from dynas.modes.prediction import fill, search_predictions, spread_front
from dynas.modes.rounds import ROUNDS
from dynas.modes.selection import CHOICES
from dynas.predictors.features import Featurizer, featurizer
from dynas.predictors.surrogate import cross_validate, enough, fit_surrogate, warn_unfitted

Part = TypeVar("Part")


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

    The paper's own setting, which `experiment=paper/linas` holds, is ``Linas(population=50,
    predicted_evaluations=20_000, start="uniform", features="one_hot", optimism=0, choice="spread")``.

    Args:
        population: real evaluations per iteration.
        predicted_evaluations: predicted evaluations per iteration.
        schedule: from an iteration (counted from 1) on, attributes of `Stage` that change: each iteration may have
            its own numbers, algorithm and predictors (section 3.3).
        start_size: real evaluations of the first iteration; None: as many as of the others, which are enough, too,
            where predictors learn from earlier runs (`scripts/benchmarks/known.py`).
        start: what is measured in the first iteration, a key of `dynas.modes.initial_design.DESIGNS`.
        features: what predictors see of a sub-network (see `dynas.predictors.features.featurizer`).
        optimism: standard deviations by which predictions are taken to be better than the predictor's mean;
            predictors that tell none are taken at their mean.
        choice: which predictions are measured, a key of `dynas.modes.selection.CHOICES`.
        rounds: when new ones are measured, a key of `dynas.modes.rounds.ROUNDS`.

    Raises:
        DynasError: numbers that make no sense, an unknown name, or a schedule that changes something else.
    """

    def __init__(
        self,
        population: int = 10,
        predicted_evaluations: int = 10_000,
        schedule: Mapping[int, Mapping[str, Any]] | None = None,
        start_size: int | None = 20,
        start: str = "stratified",
        features: str | Featurizer = "levels",
        optimism: float = 0.0,
        choice: str = "expected",
        rounds: str = "fixed",
    ) -> None:
        self.population, self.predicted_evaluations = population, predicted_evaluations
        self.schedule = dict(sorted((schedule or {}).items()))
        self.start_size, self.optimism = start_size, optimism
        self.design = named("start", start, DESIGNS)
        self.featurize = featurizer(features)
        self.choose = named("choice", choice, CHOICES)
        self.go_round = named("rounds", rounds, ROUNDS)
        check_numbers(population, predicted_evaluations)
        if optimism < 0 or (start_size is not None and start_size < 1):
            raise DynasError(
                f"mode=linas needs mode.optimism >= 0 and mode.start_size >= 1 or null, got {optimism} and {start_size}"
            )
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
        """Measure, train, search on predictions, repeat (see `dynas.core.mode.SearchMode`)."""
        problem = evaluate.problem
        each = self.stage(1, make_algorithm, {}).population
        size = min(self.start_size or each, each) if evaluate.known else self.start_size or each
        named = "mode.start_size" if self.start_size else "mode.population"
        warn_of_budget(evaluate, size, named, size + each)
        size = min(size, evaluate.remaining)
        given = np.empty((0, problem.space.n_genes), dtype=np.int64) if start is None else start
        if len(given) < size:
            given = np.concatenate([given, self.design(problem, size - len(given), rng)])
        first = first_population(problem.space, size, rng, given, set())
        told = 0

        def population() -> int:
            return self.stage(evaluate.iteration + 1, make_algorithm, make_predictors).population

        def propose(n: int) -> Genotypes:
            nonlocal told
            stage = self.stage(evaluate.iteration + 1, make_algorithm, make_predictors)
            inner_rng = rng.spawn(1)[0]  # every proposal has its own seed
            news = len(evaluate.history) - told
            is_round = news >= stage.population or not len(evaluate.pending)
            told += news if is_round else 0
            return self._propose(stage, evaluate, n, inner_rng, observer if is_round else None)

        self.go_round(evaluate, first, population, propose)

    def _propose(
        self, stage: Stage, evaluate: Evaluator, n: int, rng: np.random.Generator, observer: Observer | None
    ) -> Genotypes:
        """Return the ``n`` best predictions, random candidates where too little could be measured.

        What is still being measured counts as if its prediction had come true.
        """
        problem, seen, known, pending = evaluate.problem, evaluate.seen(), evaluate.measured, evaluate.pending
        if not enough(known) or len(seen) == problem.space.size:
            return problem.space.sample_distinct(n, rng, seen)
        try:
            with doing("training predictors"):
                surrogate = fit_surrogate(
                    problem, stage.make_predictors, known, self.featurize, self.optimism, evaluate.known
                )
            if observer is not None:
                with doing("cross-validating predictors"):
                    quality = cross_validate(surrogate, stage.make_predictors, known, evaluate.known)
                observer.fitted(evaluate.iteration, quality)
        except Exception as error:  # a predictor may raise anything; what was measured is worth going on with
            warn_unfitted(error, f"the candidates after iteration {evaluate.iteration} are random")
            return problem.space.sample_distinct(n, rng, seen)
        if len(pending):
            known = concatenate([known, surrogate(pending)])
        algorithm = stage.make_algorithm(problem.space, len(problem.objectives), rng, spread_front(known))
        predicted = search_predictions(surrogate, algorithm, stage.predicted_evaluations)
        with doing("choosing"):
            chosen = self.choose(surrogate, predicted, known, n, rng)
        return fill(chosen, problem.space, seen, n, rng)


def named(key: str, name: str, table: Mapping[str, Part]) -> Part:
    """Return the part that a setting of the mode names; raise DynasError where there is none of that name."""
    if name not in table:
        raise one_of(f"mode.{key}", name, table)
    return table[name]


def check_numbers(population: int, predicted_evaluations: int) -> None:
    """Raise DynasError where the numbers of an iteration make no sense."""
    if population < 1 or predicted_evaluations < population:
        raise DynasError(
            "mode=linas needs mode.population >= 1 and mode.predicted_evaluations >= mode.population, "
            f"got {population} and {predicted_evaluations}"
        )
