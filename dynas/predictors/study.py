"""How well predictors do for how many examples: the study of Cummings et al. 2022, Appendix C (Figures 6 and 7)."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from dynas.core.objectives import Objective, Values
from dynas.core.predictor import PredictorFactory
from dynas.errors import DynasError
from dynas.predictors.fitted import fit_predictor
from dynas.predictors.surrogate import LEAST_EXAMPLES, quality


@dataclass(frozen=True)
class Trial:
    """The errors of one predictor, fitted once, on examples that it did not see.

    Attributes:
        objective, predictor: their names.
        size: number of training examples.
        trial: number of the random split, from 1.
        mape: mean absolute percentage error, in percent.
        kendall_tau: rank correlation between prediction and measurement.
    """

    objective: str
    predictor: str
    size: int
    trial: int
    mape: float
    kendall_tau: float


@dataclass(frozen=True)
class Average:
    """The mean of trials, with its standard error (NaN for a single one), per objective, predictor and size.

    The test sets of different trials overlap, since they are drawn from the same measurements: the standard error
    says how far the mean depends on the splits, not how it would differ for other measurements.
    """

    objective: str
    predictor: str
    size: int
    trials: int
    mape: float
    mape_error: float
    kendall_tau: float
    kendall_tau_error: float


@dataclass(frozen=True, eq=False)
class Study:
    """What is tried: predictors by name, on targets by objective.

    Attributes:
        features: of all examples, ``(n, D)``.
        targets: per objective, the measured values ``(n,)``.
        factories: per name, what makes an untrained predictor.
        sizes: numbers of training examples, rising.
        test: number of examples that the errors are computed on, disjoint from those.
        seed: all splits come from it.
        genes: of each feature ``(D,)``, the gene whose option it tells, or -1, where that is known.
    """

    features: Values
    targets: Mapping[Objective, Values]
    factories: Mapping[str, PredictorFactory]
    sizes: tuple[int, ...]
    test: int
    seed: int = 0
    genes: NDArray[np.int64] | None = None

    def trial(self, number: int) -> list[Trial]:
        """Return all fits of one random split; a larger training set contains the smaller ones."""
        order = np.random.default_rng([self.seed, number]).permutation(len(self.features))
        test, rest = order[: self.test], order[self.test :]
        results = []
        for objective, target in self.targets.items():
            for size in self.sizes:
                for name, make in self.factories.items():
                    with threadpool_limits(limits=1):
                        train = rest[:size]
                        predictor = fit_predictor(objective, make, self.features[train], target[train], self.genes)
                        found = quality(objective.name, target[test], predictor.predict(self.features[test]))
                    results.append(Trial(objective.name, name, size, number, found.mape, found.kendall_tau))
        return results

    def run(self, trials: int, jobs: int) -> Iterator[list[Trial]]:
        """Yield the fits of each trial, in order; the number of processes changes nothing but the time.

        Raises:
            DynasError: a worker process was killed.
        """
        if jobs == 1:
            yield from map(self.trial, range(1, trials + 1))
            return
        # fresh processes: a fork of one that has loaded torch may hang in its threads
        others = set(active_children())
        pool = ProcessPoolExecutor(min(jobs, trials), get_context("spawn"), _start_worker, (self,))
        try:
            yield from pool.map(_work, range(1, trials + 1))
            pool.shutdown()
        except BrokenProcessPool as error:
            raise DynasError("a worker process was killed, perhaps for its memory: give a smaller jobs=...") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in set(active_children()) - others:  # after an interrupt: nobody waits for their trials
                worker.terminate()


_study: Study  # in a worker process: what it works on


def _start_worker(study: Study) -> None:
    global _study
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    _study = study


def _work(number: int) -> list[Trial]:
    return _study.trial(number)


def usable_sizes(examples: int, sizes: Sequence[int], test: int) -> tuple[int, ...]:
    """Return the training sizes that ``examples`` allow beside ``test`` test examples, rising.

    Raises:
        DynasError: a number makes no sense, or not even the smallest size is possible.
    """
    if not sizes or min(sizes) < LEAST_EXAMPLES:
        raise DynasError(f"sizes={list(sizes)}: give training sizes of {LEAST_EXAMPLES} or more")
    if test < 2:
        raise DynasError(f"test={test}: give 2 test examples or more")
    usable = tuple(sorted({size for size in sizes if size + test <= examples}))
    if not usable:
        raise DynasError(
            f"{examples} examples are too few for sizes={list(sizes)} and test={test}: "
            f"{min(sizes) + test} are needed at least; give smaller ones, or more examples"
        )
    return usable


def averages(trials: Sequence[Trial]) -> list[Average]:
    """Return the mean and standard error of each objective, predictor and size, in the order of the trials."""
    groups: dict[tuple[str, str, int], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.objective, trial.predictor, trial.size), []).append(trial)
    return [
        Average(
            *place,
            len(group),
            *_mean_and_error([trial.mape for trial in group]),
            *_mean_and_error([trial.kendall_tau for trial in group]),
        )
        for place, group in groups.items()
    ]


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return float(np.mean(values)), error
