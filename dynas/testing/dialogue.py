"""One search of the analytic problem, candidate by candidate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynas.core.algorithm import AlgorithmFactory
from dynas.core.problem import Batch, Problem, make_batch
from dynas.core.space import Genotypes, SearchSpace
from dynas.testing.analytic import Analytic, Fails


class Dialogue:
    """Asks an algorithm, answers it, and keeps what was asked.

    Args:
        make: makes the algorithm.
        analytic: the objectives.
        n_objectives: how many of them.
        bound: the largest cost allowed, or None.
        seed: of the algorithm.
        start: genotypes ``(n, G)`` that the first population holds, or None.

    Attributes:
        asked: canonical genotypes ``(n, G)`` of each `ask`.
    """

    def __init__(
        self,
        make: AlgorithmFactory,
        analytic: Analytic,
        n_objectives: int = 2,
        bound: float | None = None,
        seed: int = 0,
        start: Genotypes | None = None,
    ) -> None:
        self.analytic, self.n_objectives = analytic, n_objectives
        self.space: SearchSpace = analytic.space
        self.problem: Problem = analytic.problem(n_objectives, bound)
        self.algorithm = make(self.space, n_objectives, np.random.default_rng(seed), start)
        self.asked: list[Genotypes] = []

    def answer(self, genotypes: Genotypes, fails: Fails = lambda row: False) -> Batch:
        """Return the losses of genotypes ``(n, G)``; those that ``fails`` names could not be measured."""
        values = self.analytic.values(genotypes, self.n_objectives)
        values[[fails(row) for row in genotypes]] = np.nan
        return make_batch(self.problem, genotypes, values)

    def run(self, evaluations: int, respond: Callable[[Genotypes], Batch] | None = None) -> Dialogue:
        """Ask and tell until so many candidates were asked for, or none are left."""
        count = 0
        while count < evaluations and len(rows := self.algorithm.ask()):
            self.asked.append(rows)
            count += len(rows)
            self.algorithm.tell((respond or self.answer)(rows))
        return self

    @property
    def rows(self) -> Genotypes:
        """All that was asked ``(n, G)``, in order."""
        return np.concatenate(self.asked)

    def never_asked_twice(self) -> bool:
        """Return whether all that was asked is distinct."""
        return len({row.tobytes() for row in self.rows}) == len(self.rows)
