"""Which predicted candidates are worth measuring."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np

from dynas.core.pareto import hypervolume, non_dominated, spread
from dynas.core.problem import Batch
from dynas.core.space import Genotypes
from dynas.modes.prediction import choose

Choice = Callable[[Batch, Batch, int], Genotypes]  # (predicted, measured, n) -> up to n unmeasured genotypes
CANDIDATES = 500  # of the predicted front that compete for a place
MARGIN = 0.1  # of each objective's range by which the reference point is worse than the fronts


def by_spread(predicted: Batch, measured: Batch, n: int) -> Genotypes:
    """Return candidates of the best predicted fronts, spread along the last one (see `choose`)."""
    return choose(predicted, tokens(measured), n)


def by_hypervolume(predicted: Batch, measured: Batch, n: int) -> Genotypes:
    """Return the candidates that add most to the measured hypervolume if the predictions come true.

    They are taken one by one, each as if those before it had been measured. Gains only shrink on the way, so that
    one computed earlier bounds the present one, and few are computed anew (Minoux 1978, lazy greedy). Where less
    than ``n`` add anything, the others come from `by_spread`.
    """
    seen = tokens(measured)
    fresh = predicted.select(np.array([row.tobytes() not in seen for row in predicted.genotypes], dtype=bool))
    front = measured.front().losses
    rivals = fresh.select(fresh.violation <= 0)
    rivals = rivals.select(non_dominated(rivals.losses))
    rivals = rivals.select(spread(rivals.losses, CANDIDATES))
    picked = greedy(rivals.losses, front, n)
    chosen = rivals.genotypes[picked]
    if len(chosen) == n:
        return chosen
    taken = seen | {row.tobytes() for row in chosen}
    return np.concatenate([chosen, choose(fresh, taken, n - len(chosen))])


def greedy(losses: np.ndarray, front: np.ndarray, n: int) -> list[int]:
    """Return up to ``n`` rows of ``losses`` ``(m, M)`` that add to the hypervolume of ``front``, best first."""
    everything = np.concatenate([losses, front])
    if len(losses) == 0:
        return []
    worst, span = everything.max(axis=0), np.ptp(everything, axis=0)
    reference = worst + MARGIN * np.where(span > 0, span, 1.0)
    volume = hypervolume(front, reference)
    heap = [(-np.inf, -1, row) for row in range(len(losses))]  # minus the gain, when it was computed, the row
    picked: list[int] = []
    while heap and len(picked) < n:
        gain, when, row = heapq.heappop(heap)
        if when == len(picked):
            if -gain <= 1e-12 * volume:
                break
            picked.append(row)
            front = np.vstack([front, losses[row]])
            volume = hypervolume(front, reference)
        else:
            gain = volume - hypervolume(np.vstack([front, losses[row]]), reference)
            heapq.heappush(heap, (gain, len(picked), row))
    return picked


def tokens(batch: Batch) -> set[bytes]:
    """Return the identities of a batch's candidates."""
    return {row.tobytes() for row in batch.genotypes}


CHOICES: dict[str, Choice] = {"spread": by_spread, "hypervolume": by_hypervolume}
