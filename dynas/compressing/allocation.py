"""Networks within a limit without a search: by a threshold on what each change costs, and by one share for all.

The threshold rule is that of FastNAS in NVIDIA's Model Optimizer: each part is cut as deep as its own loss stays below
one threshold, and the least threshold that keeps to the limit is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dynas.core.space import Genotypes, SearchSpace

GOLDEN = (5**0.5 - 1) / 2
MOVED = 0.25  # of the genes, in a neighbour
STEPS = 8  # between two shares, in which ever more groups take the smaller one
Fits = Callable[[NDArray[np.int64]], bool]  # whether a canonical genotype (G,) is within the limit


def by_threshold(space: SearchSpace, losses: NDArray[np.float64]) -> Genotypes:
    """Return the canonical genotypes ``(n, G)`` of all thresholds, the largest sub-network first.

    Args:
        space: what they are of.
        losses: what each option costs by itself ``(G, options)``.
    """
    finite = losses[np.isfinite(losses)]
    thresholds = np.unique(np.maximum(finite, 0.0))
    options = np.arange(losses.shape[1])
    cut = np.where(losses[None] <= thresholds[:, None, None], options, losses.shape[1]).min(axis=2)
    return distinct(space.canonical(np.concatenate([space.largest()[None], cut.astype(np.int64)])))


def evenly(space: SearchSpace, variable: str) -> Genotypes:
    """Return canonical genotypes ``(n, G)`` in which all genes of a variable have one share, the largest first.

    Between two shares more and more of the genes, evenly spread over the network, take the smaller one. All other
    genes stay as they are in the largest sub-network.
    """
    names = np.array([one.name for one in space.variables for _ in range(one.length)])
    genes = np.flatnonzero(names == variable)
    if not len(genes):
        return space.canonical(space.largest()[None])
    last = int(space.cardinality[genes[0]]) - 1
    late = (np.arange(len(genes)) * GOLDEN) % 1
    rows = []
    for step in range(last * STEPS + 1):
        level = last - step / STEPS
        row = space.largest()
        row[genes] = np.floor(level) + (late < level % 1)
        rows.append(row)
    return distinct(space.canonical(np.stack(rows)))


def around(space: SearchSpace, rows: Sequence[NDArray[np.int64]], n: int, rng: np.random.Generator) -> Genotypes:
    """Return up to ``n`` canonical genotypes ``(n, G)`` next to the rows: some genes take a neighbouring option."""
    found: dict[bytes, NDArray[np.int64]] = {}
    for turn in range(4 * n):
        row = rows[turn % len(rows)].copy()
        moved = rng.random(len(row)) < MOVED
        row[moved] += rng.choice([-1, 1], size=int(moved.sum()))
        row = space.canonical(np.clip(row, 0, space.cardinality - 1)[None])[0]
        found.setdefault(row.tobytes(), row)
        if len(found) == n:
            break
    return np.array(list(found.values()), dtype=np.int64).reshape(-1, space.n_genes)


def distinct(rows: Genotypes) -> Genotypes:
    """Return the rows without repeats, in their order."""
    return np.stack(list({row.tobytes(): row for row in rows}.values()))


def first_that_fits(rows: Sequence[NDArray[np.int64]] | Genotypes, fits: Fits) -> int | None:
    """Return the place of the first row that fits, by halving, as each costs less than the last; None: none does."""
    low, high = 0, len(rows) - 1
    if not fits(rows[high]):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(rows[middle]) else (middle + 1, high)
    return high


def halvings(count: int) -> int:
    """Return how many of so many rows `first_that_fits` asks for at most."""
    return int(np.ceil(np.log2(max(count, 1)))) + 1
