"""Searching on predictions, and choosing what is worth measuring: shared by LINAS and one-shot search."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from dynas.core.activity import doing
from dynas.core.algorithm import SearchAlgorithm
from dynas.core.pareto import non_dominated, spread
from dynas.core.problem import Batch, concatenate
from dynas.core.space import Genotypes, SearchSpace


def search_predictions(predict: Callable[[Genotypes], Batch], algorithm: SearchAlgorithm, evaluations: int) -> Batch:
    """Let the algorithm ask for at least so many predictions; return all of them."""
    answered: list[Batch] = []
    count = 0
    with (
        doing("searching predictions"),
        threadpool_limits(limits=1, user_api="blas"),  # many small products, which several threads only slow down
    ):
        while count < evaluations and len(candidates := algorithm.ask()):
            batch = predict(candidates)
            algorithm.tell(batch)
            answered.append(batch)
            count += len(batch)
    return concatenate(answered)


def spread_front(batch: Batch) -> Genotypes:
    """Return the front's genotypes ``(n, G)`` in an order whose every beginning is spread along it."""
    front = batch.front()
    return front.genotypes[spread(front.losses, len(front))]


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


def fill(candidates: Genotypes, space: SearchSpace, seen: set[bytes], n: int, rng: np.random.Generator) -> Genotypes:
    """Return ``candidates``, brought to ``n`` by random sub-networks that are not in ``seen``."""
    if len(candidates) >= n:
        return candidates
    taken = seen | {row.tobytes() for row in candidates}
    return np.concatenate([candidates, space.sample_distinct(n - len(candidates), rng, taken)])
