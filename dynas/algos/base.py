"""The contract of search algorithms: ask for candidates, tell their losses."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dynas.errors import DynasError
from dynas.evaluate import Batch
from dynas.space import Genotypes, SearchSpace

# Smallest and largest number of objectives of each algorithm; None: any number.
OBJECTIVES: dict[str, tuple[int, int | None]] = {"random": (1, None), "nsga2": (2, None)}


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


def check_objectives(name: str, n_objectives: int) -> None:
    """Raise DynasError where an algorithm cannot handle so many objectives, naming those that can."""
    least, most = OBJECTIVES[name]
    if n_objectives >= least and (most is None or n_objectives <= most):
        return
    able = [other for other, (low, high) in OBJECTIVES.items() if low <= n_objectives <= (high or n_objectives)]
    needs = f"at least {least}" if n_objectives < least else f"at most {most}"
    raise DynasError(
        f"algo={name} needs {needs} objectives, {n_objectives} given: "
        f"change objectives=[...] or choose algo={' or algo='.join(able)}"
    )


def first_population(
    space: SearchSpace, size: int, rng: np.random.Generator, start: Genotypes | None, seen: set[bytes]
) -> Genotypes:
    """Return distinct genotypes ``(size, G)``, those of ``start`` first, and add them to ``seen``."""
    given = np.empty((0, space.n_genes), dtype=np.int64) if start is None else space.canonical(start)
    rows = {row.tobytes(): row for row in given if row.tobytes() not in seen}
    kept = list(rows.values())[:size]
    seen.update(row.tobytes() for row in kept)
    fresh = space.sample_distinct(size - len(kept), rng, seen)
    seen.update(row.tobytes() for row in fresh)
    return np.concatenate([np.array(kept, dtype=np.int64).reshape(-1, space.n_genes), fresh])
