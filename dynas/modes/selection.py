"""Which predicted candidates are worth measuring."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np

from dynas.core.objectives import Values
from dynas.core.pareto import first_fronts, hypervolume, nadir, non_dominated, spread
from dynas.core.problem import Batch
from dynas.core.space import Genotypes
from dynas.modes.expected import best_batch
from dynas.modes.prediction import choose
from dynas.predictors.surrogate import Surrogate

# (surrogate, predicted, measured, n, rng) -> up to n unmeasured genotypes
Choice = Callable[[Surrogate, Batch, Batch, int, np.random.Generator], Genotypes]
CANDIDATES = 500  # of the predicted front that compete for a place by their predictions
MARGIN = 0.1  # of each objective's range by which the reference point is worse than the predicted fronts
SAMPLED = 300  # of the best predicted fronts that compete by samples
DRAWS = 48  # joint samples of their values


def by_spread(surrogate: Surrogate, predicted: Batch, measured: Batch, n: int, rng: np.random.Generator) -> Genotypes:
    """Return candidates of the best predicted fronts, spread along the last one (see `choose`)."""
    return choose(predicted, tokens(measured), n)


def by_hypervolume(
    surrogate: Surrogate, predicted: Batch, measured: Batch, n: int, rng: np.random.Generator
) -> Genotypes:
    """Return the candidates that add most to the measured hypervolume if the predictions come true.

    They are taken one by one, each as if those before it had been measured. Gains only shrink on the way, so that
    one computed earlier bounds the present one, and few are computed anew (Minoux 1978, lazy greedy). Where less
    than ``n`` add anything, the others come from `by_spread`.
    """
    fresh = unmeasured(predicted, measured)
    rivals = fresh.select(fresh.violation <= 0)
    rivals = rivals.select(non_dominated(rivals.losses))
    rivals = rivals.select(spread(rivals.losses, CANDIDATES))
    picked = greedy(rivals.losses, measured.front().losses, n)
    return completed(rivals.genotypes[picked], fresh, measured, n)


def by_expected_hypervolume(
    surrogate: Surrogate, predicted: Batch, measured: Batch, n: int, rng: np.random.Generator
) -> Genotypes:
    """Return the candidates that are expected to add most to the measured hypervolume (see `best_batch`).

    Hypervolume counts up to the worst that was measured, as in reports: the ends of the front are worth here what they
    are worth there. What a sample says is beyond a bound adds nothing in that sample, so that the probability of
    keeping to all bounds counts. Where less than ``n`` are expected to add anything, the others come from `by_spread`.
    """
    fresh = unmeasured(predicted, measured)
    rivals = fresh.select(first_fronts(fresh.losses, fresh.violation, SAMPLED))
    losses, violation = surrogate.sample(rivals.genotypes, DRAWS, rng)
    losses = np.where((violation <= 0)[:, :, None], losses, np.inf)
    picked = best_batch(losses, measured.front().losses, nadir(measured.losses), n, rng)
    return completed(rivals.genotypes[picked], fresh, measured, n)


def unmeasured(predicted: Batch, measured: Batch) -> Batch:
    """Return the predictions of candidates that were not measured."""
    seen = tokens(measured)
    return predicted.select(np.array([row.tobytes() not in seen for row in predicted.genotypes], dtype=bool))


def completed(chosen: Genotypes, fresh: Batch, measured: Batch, n: int) -> Genotypes:
    """Return what is chosen, brought to ``n`` by `choose`."""
    if len(chosen) == n:
        return chosen
    taken = {row.tobytes() for row in chosen}
    return np.concatenate([chosen, choose(fresh, tokens(measured) | taken, n - len(chosen))])


def greedy(losses: Values, front: Values, n: int) -> list[int]:
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


CHOICES: dict[str, Choice] = {
    "spread": by_spread,
    "hypervolume": by_hypervolume,
    "expected": by_expected_hypervolume,
}
