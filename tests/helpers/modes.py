"""Our search modes by name, each with small settings, and one search of a problem that costs nothing to measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from dynas.algos.named import algorithm as named_algorithm
from dynas.core.evaluation import Evaluation, Measure, PredictorQuality
from dynas.core.evaluator import Evaluator
from dynas.core.mode import SearchMode
from dynas.core.problem import Problem
from dynas.core.stopping import Stopping
from dynas.executors.serial import Serial
from dynas.modes.additive import Additive
from dynas.modes.linas import Linas
from dynas.modes.oneshot import OneShot
from dynas.modes.validation import Validation
from dynas.predictors.ridge import Ridge

POPULATION = 10
MODES: dict[str, Callable[..., SearchMode]] = {
    "validation": Validation,
    "additive": Additive,
    "linas": partial(Linas, population=POPULATION, predicted_evaluations=100, start_size=None),
    "oneshot": partial(OneShot, training=2 * POPULATION, predicted_evaluations=100),
}
make_ridge = partial(Ridge, alphas=(0.01, 0.1, 1.0, 10.0))
PREDICTORS = {"quality": make_ridge, "noise": make_ridge}


class Watcher:
    """Keeps what an observer is told."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.qualities: list[tuple[int, list[PredictorQuality]]] = []

    def evaluated(self, evaluation: Evaluation) -> None:
        self.keys.append(evaluation.key)

    def fitted(self, iteration: int, quality: Sequence[PredictorQuality]) -> None:
        self.qualities.append((iteration, list(quality)))


def search(
    problem: Problem,
    measure: Measure,
    mode: str,
    algorithm: str,
    budget: int,
    seed: int = 0,
    store: Any = None,
    max_failures: int | None = 20,
) -> tuple[Evaluator, Watcher]:
    watcher = Watcher()
    evaluate = Evaluator(problem, Serial(measure), budget, store, watcher, Stopping(max_failures=max_failures))
    make_algorithm = named_algorithm(algorithm, population=POPULATION)
    few = (
        {"predicted_evaluations": 30} if algorithm == "motpe" and mode not in ("additive", "validation") else {}
    )  # 10 ms each
    MODES[mode](**few).run(evaluate, make_algorithm, PREDICTORS, np.random.default_rng(seed), watcher)
    return evaluate, watcher
