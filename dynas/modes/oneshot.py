"""One-shot search: predictors are trained once, then searched (Cummings et al. 2022, section 3.2, Appendix G.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from dynas.algos.base import first_population
from dynas.core.activity import doing
from dynas.core.algorithm import AlgorithmFactory
from dynas.core.evaluation import Observer
from dynas.core.evaluator import Evaluator
from dynas.core.mode import Predictors
from dynas.core.problem import Batch, Problem, concatenate, make_batch
from dynas.core.space import Genotypes
from dynas.errors import DynasError
from dynas.modes.base import check_algorithm, warn_of_budget
from dynas.modes.prediction import choose, fill, search_predictions, spread_front
from dynas.modes.ranges import parse_ranges
from dynas.predictors.features import Featurizer, featurizer
from dynas.predictors.surrogate import Surrogate, cross_validate, enough, fit_surrogate, warn_unfitted
from dynas.runs.examples import read_examples

View = Callable[[Batch], Batch]  # a batch as one of the searches sees it


class OneShot:
    """Measures a random training set, searches on predictors trained on it, and measures the finds.

    With ``ranges`` it makes several constrained searches, one per range of an objective, as Once-for-All does
    (Appendix G.1): that objective is then a constraint and no longer optimised, so that two objectives leave one.

    Args:
        training: random sub-networks that are measured first; 0 where ``examples`` are enough.
        predicted_evaluations: predicted evaluations of each search.
        examples: run folders, CSV files or Optuna studies (``sqlite:///study.db``) with earlier measurements to train
            on as well; they cost no budget.
        ranges: one objective and the rising upper ends of its ranges, such as ``{"latency": [20, 25, 30]}``: up to
            20, 20 to 25, 25 to 30. The rest of the budget is shared out evenly among them.
        features: what predictors see of a sub-network (see `dynas.predictors.features.featurizer`).

    Raises:
        DynasError: numbers or ranges that make no sense.
    """

    def __init__(
        self,
        training: int = 1000,
        predicted_evaluations: int = 20_000,
        examples: str | Path | Sequence[str | Path] | None = None,
        ranges: Mapping[str, Sequence[float]] | None = None,
        features: str | Featurizer = "one_hot",
    ) -> None:
        self.featurize = featurizer(features)
        self.training, self.predicted_evaluations = training, predicted_evaluations
        self.examples = [examples] if isinstance(examples, str | Path) else list(examples or [])
        self.ranges = parse_ranges(ranges or {})
        if training < 0 or predicted_evaluations < 1 or not (training or self.examples):
            raise DynasError(
                "mode=oneshot needs mode.predicted_evaluations >= 1 and mode.training >= 1, or "
                f"mode.examples=<run folder or CSV>; got {predicted_evaluations} and {training}"
            )

    def check(self, problem: Problem, make_algorithm: AlgorithmFactory) -> None:
        """Raise DynasError where the ranges, the algorithm or the examples do not fit the problem."""
        for limits in self.ranges:
            limits.column(problem)
        n_objectives = len(problem.objectives) - (1 if self.ranges else 0)
        if n_objectives == 0:
            raise DynasError("mode.ranges turns an objective into a constraint: give a second one in objectives=[...]")
        check_algorithm(make_algorithm, problem.space, n_objectives)
        self._given(problem)

    def run(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        make_predictors: Predictors,
        rng: np.random.Generator,
        observer: Observer | None = None,
        start: Genotypes | None = None,
    ) -> None:
        """Measure, train, search on predictions, measure the finds (see `dynas.core.mode.SearchMode`)."""
        problem, space = evaluate.problem, evaluate.problem.space
        warn_of_budget(evaluate, self.training, "mode.training", self.training + 1)
        if self.training:
            evaluate(first_population(space, self.training, rng, start, set()))
        known = concatenate([*self._given(problem), evaluate.measured])
        if not evaluate.remaining:
            return
        if not enough(known) or len(evaluate.seen()) == space.size:
            evaluate(space.sample_distinct(evaluate.remaining, rng, evaluate.seen()))
            return
        try:
            with doing("training predictors"):
                surrogate = fit_surrogate(problem, make_predictors, known, self.featurize, known=evaluate.known)
            if observer is not None:
                with doing("cross-validating predictors"):
                    quality = cross_validate(surrogate, make_predictors, known, evaluate.known)
                observer.fitted(evaluate.iteration, quality)
        except Exception as error:  # a predictor may raise anything; what was measured is worth going on with
            warn_unfitted(error, "the finds are random")
            evaluate(space.sample_distinct(evaluate.remaining, rng, evaluate.seen()))
            return
        views: list[View] = [partial(limits.constrain, problem) for limits in self.ranges] or [unchanged]
        for index, view in enumerate(views):
            share = -(-evaluate.remaining // (len(views) - index))
            if share:
                inner_rng = rng.spawn(1)[0]
                predicted = self._search(evaluate, make_algorithm, surrogate, view, known, inner_rng)
                seen = evaluate.seen()
                evaluate(fill(choose(predicted, seen, share), space, seen, share, inner_rng))

    def _search(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        surrogate: Surrogate,
        view: View,
        known: Batch,
        rng: np.random.Generator,
    ) -> Batch:
        """Return all predictions of one search, as ``view`` shows them; it starts from the front of ``known``."""
        shown = view(known)
        algorithm = make_algorithm(evaluate.problem.space, shown.losses.shape[1], rng, spread_front(shown))
        return search_predictions(lambda rows: view(surrogate(rows)), algorithm, self.predicted_evaluations)

    def _given(self, problem: Problem) -> list[Batch]:
        """Return the earlier measurements, one batch per source."""
        return [make_batch(problem, *read_examples(path, problem.space, problem.objectives)) for path in self.examples]


def unchanged(batch: Batch) -> Batch:
    """Return the batch itself."""
    return batch
