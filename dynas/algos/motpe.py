"""Multi-objective tree-structured Parzen estimator, by optuna."""

from __future__ import annotations

import warnings

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, Trial, TrialState

from dynas.algos.base import FAILED, check_objectives, check_settings, first_population
from dynas.core.problem import Batch
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError


class MotpeSearch:
    """MOTPE (Ozaki et al. 2020, doi 10.1145/3377930.3389817) on genes as categories.

    A model of the good candidates and one of the others are compared for every suggestion. That costs
    milliseconds, and more with every answer: made for measured evaluations, not for 20,000 predicted ones.
    Trials keep the genes as drawn, also inactive ones; the values told for them are those of the canonical
    candidate. About half of TPE's suggestions repeat earlier ones: they are drawn again, and where that does not
    fill a generation, random newcomers do.

    Args:
        space, n_objectives, rng, start: see `dynas.core.algorithm.AlgorithmFactory`.
        population: candidates per `ask`; the first ones are random. Suggestions of one `ask` know of each other
            but not of their answers.
        prior_weight: weight of the uniform distribution in both models.
        ei_candidates: draws from the good model of which the most promising becomes the suggestion.
    """

    def __init__(
        self,
        space: SearchSpace,
        n_objectives: int,
        rng: np.random.Generator,
        start: Genotypes | None = None,
        *,
        population: int = 10,
        prior_weight: float = 1.0,
        ei_candidates: int = 24,
    ) -> None:
        check_objectives("motpe", n_objectives)
        check_settings("motpe", 1, population)
        if prior_weight < 0 or ei_candidates < 1:
            raise DynasError(
                "algo=motpe needs algo.prior_weight >= 0 and algo.ei_candidates >= 1, "
                f"got {prior_weight} and {ei_candidates}"
            )
        self._space, self._rng, self._start, self._population = space, rng, start, population
        self._distributions: dict[str, BaseDistribution] = {
            str(gene): CategoricalDistribution(tuple(range(count)))
            for gene, count in enumerate(space.cardinality.tolist())
        }
        self._seen: set[bytes] = set()
        self._asked: dict[bytes, Trial] = {}
        self._violation: dict[int, float] = {}
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # else one line per trial
        with warnings.catch_warnings():  # versions 4 and 5 find different ones of these arguments too new or too old
            warnings.simplefilter("ignore")
            sampler = optuna.samplers.TPESampler(
                multivariate=True,
                constant_liar=True,  # the suggestions of one generation differ
                n_startup_trials=population,
                prior_weight=prior_weight,
                n_ei_candidates=ei_candidates,
                seed=int(rng.integers(2**31)),
                constraints_func=self._constraint,
            )
        self._study = optuna.create_study(directions=["minimize"] * n_objectives, sampler=sampler)

    def ask(self) -> Genotypes:
        """Return the next generation ``(n, G)``."""
        self._asked = {}
        for _ in range(2 * self._population if self._seen else 0):
            if len(self._asked) == self._population:
                break
            trial = self._study.ask(self._distributions)
            drawn = trial.params  # a copy of all, each time that it is asked for
            genes = np.array([[drawn[name] for name in self._distributions]], dtype=np.int64)
            token = self._space.canonical(genes)[0].tobytes()
            if token in self._seen:
                self._study.tell(trial, state=TrialState.FAIL)
            else:
                self._seen.add(token)
                self._asked[token] = trial
        missing = self._population - len(self._asked)
        for row in first_population(self._space, missing, self._rng, self._start, self._seen):
            self._study.enqueue_trial({str(gene): option for gene, option in enumerate(row.tolist())})
            self._asked[row.tobytes()] = self._study.ask(self._distributions)
        self._start = None
        rows = [np.frombuffer(token, dtype=np.int64) for token in self._asked]
        return np.array(rows, dtype=np.int64).reshape(-1, self._space.n_genes)

    def tell(self, batch: Batch) -> None:
        """Hand the answers to optuna; a failed candidate counts as one far beyond its bounds."""
        for row, losses, beyond, measured in zip(
            batch.genotypes, batch.losses, batch.violation, batch.measured, strict=True
        ):
            trial = self._asked.pop(row.tobytes())
            self._violation[trial.number] = min(float(beyond), FAILED)
            self._study.tell(trial, losses.tolist() if measured else [0.0] * len(losses))
        for trial in self._asked.values():
            self._study.tell(trial, state=TrialState.FAIL)
        self._asked = {}

    def _constraint(self, trial: FrozenTrial) -> tuple[float]:
        return (self._violation[trial.number],)
