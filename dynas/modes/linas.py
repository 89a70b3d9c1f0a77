"""LINAS, lightweight iterative neural architecture search (Cummings et al. 2022, Algorithm 1)."""

from __future__ import annotations

import numpy as np

from dynas.algos.base import AlgorithmFactory
from dynas.errors import DynasError
from dynas.evaluate import Batch, Evaluator, Observer
from dynas.pareto import non_dominated, spread
from dynas.predictors.base import PredictorFactory
from dynas.predictors.surrogate import Surrogate, cross_validate, fit_surrogate
from dynas.space import Genotypes


class Linas:
    """Alternates a few real measurements with a long search on predictors trained on them.

    Args:
        population: real evaluations per iteration.
        predicted_evaluations: predicted evaluations per iteration.
    """

    def __init__(self, population: int = 50, predicted_evaluations: int = 20_000) -> None:
        if population < 5 or predicted_evaluations < population:
            raise DynasError(
                "mode=linas needs mode.population >= 5 and mode.predicted_evaluations >= mode.population, "
                f"got {population} and {predicted_evaluations}"
            )
        self.population = population
        self.predicted_evaluations = predicted_evaluations

    def run(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        make_predictor: PredictorFactory,
        rng: np.random.Generator,
        observer: Observer | None = None,
    ) -> None:
        """Measure, train, search on predictions, repeat (see `dynas.modes.base.SearchMode`)."""
        problem = evaluate.problem
        candidates = problem.space.sample_distinct(self.population, rng)
        while len(candidates):
            evaluate(candidates)
            if not evaluate.remaining or len(evaluate.history) == problem.space.size:
                return
            measured = evaluate.measured
            surrogate = fit_surrogate(problem, make_predictor, measured)
            if observer is not None:
                observer.fitted(evaluate.iteration, cross_validate(problem, make_predictor, measured))
            inner_rng = rng.spawn(1)[0]  # every iteration has its own seed
            predicted = self.search(surrogate, evaluate, make_algorithm, inner_rng)
            candidates = choose(predicted, evaluate.seen(), self.population)
            if len(candidates) < self.population:
                seen = evaluate.seen() | {row.tobytes() for row in candidates}
                fresh = problem.space.sample_distinct(self.population - len(candidates), inner_rng, seen)
                candidates = np.concatenate([candidates, fresh])

    def search(
        self, surrogate: Surrogate, evaluate: Evaluator, make_algorithm: AlgorithmFactory, rng: np.random.Generator
    ) -> Batch:
        """Run the algorithm on predictions, from the measured front on; return all predicted candidates."""
        problem = evaluate.problem
        start = evaluate.measured.front().genotypes
        algorithm = make_algorithm(problem.space, len(problem.objectives), rng, start)
        answered: list[Batch] = []
        count = 0
        while count < self.predicted_evaluations and len(candidates := algorithm.ask()):
            batch = surrogate(candidates)
            algorithm.tell(batch)
            answered.append(batch)
            count += len(batch)
        return concatenate(answered)


def concatenate(batches: list[Batch]) -> Batch:
    """Return one batch of all rows."""
    return Batch(
        np.concatenate([batch.genotypes for batch in batches]),
        np.concatenate([batch.losses for batch in batches]),
        np.concatenate([batch.violation for batch in batches]),
    )


def choose(predicted: Batch, seen: set[bytes], n: int) -> Genotypes:
    """Return up to ``n`` unmeasured genotypes of the best predicted fronts, spread along the last one.

    Candidates within all bounds come first; then those with the smallest violation.
    """
    fresh = predicted.select(np.array([row.tobytes() not in seen for row in predicted.genotypes], dtype=bool))
    allowed = fresh.select(fresh.violation <= 0)
    chosen: list[Genotypes] = [np.empty((0, predicted.genotypes.shape[1]), dtype=np.int64)]
    missing = n
    while missing and len(allowed):
        first = non_dominated(allowed.losses)
        front = allowed.select(first)
        chosen.append(front.genotypes[spread(front.losses, missing)])
        missing -= len(chosen[-1])
        allowed = allowed.select(~first)
    beyond = fresh.select(fresh.violation > 0)
    nearest = np.argsort(beyond.violation, kind="stable")[:missing]
    return np.concatenate([*chosen, beyond.genotypes[nearest]])
