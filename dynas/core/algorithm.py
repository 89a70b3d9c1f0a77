"""The contract of search algorithms: ask for candidates, tell their losses."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dynas.core.problem import Batch
from dynas.core.space import Genotypes, SearchSpace


class SearchAlgorithm(Protocol):
    """One search. Give every answer of an `ask` to one `tell` before asking again."""

    def ask(self) -> Genotypes:
        """Return canonical genotypes ``(n, G)``, distinct and never asked before; none: the space is exhausted."""
        ...

    def tell(self, batch: Batch) -> None:
        """Take the answers to the last `ask`; candidates that are missing from it were not evaluated."""
        ...


class AlgorithmFactory(Protocol):
    """Makes a fresh search; LINAS needs one in every iteration."""

    def __call__(
        self, space: SearchSpace, n_objectives: int, rng: np.random.Generator, start: Genotypes | None = None
    ) -> SearchAlgorithm:
        """Return a search over ``space``.

        Args:
            space: the sub-networks.
            n_objectives: number of losses ``M``.
            rng: its only source of randomness.
            start: canonical genotypes ``(n, G)`` that the first population holds.
        """
        ...
