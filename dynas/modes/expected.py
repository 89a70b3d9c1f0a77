"""The expected hypervolume improvement of batches, over joint samples of what candidates may turn out to be.

After Daulton et al. 2021 (arXiv:2105.08195): a batch is chosen one by one, each as if those before it had been
measured, in every sample with the values that they have there. So candidates that are good or bad together are not all
taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values

POINTS = 1024  # outside a front, by which volumes of more than two objectives are estimated
DRAWN = 10  # times as many are drawn, since most are within the front


def best_batch(losses: Values, front: Values, reference: Values, n: int, rng: np.random.Generator) -> list[int]:
    """Return up to ``n`` candidates that are expected to add to the hypervolume of a front, best first.

    Args:
        losses: joint samples ``(S, C, M)`` of ``C`` candidates; infinite where a sample is beyond a bound.
        front: losses ``(F, M)`` that are there already.
        reference: losses ``(M,)`` up to which hypervolume counts.
        n: candidates wanted.
        rng: draws the points of an estimate.
    """
    scale = reference - np.minimum(losses.min(axis=(0, 1)), front.min(axis=0, initial=np.inf))
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
    samples, there = np.minimum((losses - reference) / scale, 0.0), np.minimum((front - reference) / scale, 0.0)
    if samples.shape[2] == 1:  # a second objective in which all are equal
        samples, there = (np.concatenate([one, np.full_like(one, -1.0)], axis=-1) for one in (samples, there))
    gains = Areas(samples, there) if samples.shape[2] == 2 else Volumes(samples, there, rng)
    picked: list[int] = []
    while len(picked) < n:
        expected = gains.expected()
        best = int(expected.argmax())
        if expected[best] <= 1e-12:
            break
        picked.append(best)
        gains.take(best)
    return picked


class Areas:
    """Exact gains of two objectives.

    Args:
        samples: losses ``(S, C, 2)``, at most 0, which is where area ends.
        front: losses ``(F, 2)``, the same.
    """

    def __init__(self, samples: Values, front: Values) -> None:
        self._samples, self._fronts = samples, np.broadcast_to(front, (len(samples), *front.shape))

    def expected(self) -> Values:
        """Return the mean area ``(C,)`` that each candidate adds."""
        order = self._fronts[:, :, 0].argsort(axis=1, kind="stable")
        first, second = (np.take_along_axis(self._fronts[:, :, m], order, axis=1) for m in (0, 1))
        ends = np.zeros((len(first), 1))
        left = np.concatenate([np.full_like(ends, -np.inf), first], axis=1)[:, None]
        right = np.concatenate([first, ends], axis=1)[:, None]
        height = np.concatenate([ends, np.minimum.accumulate(second, axis=1)], axis=1)[:, None]
        width = np.maximum(right - np.maximum(left, self._samples[:, :, :1]), 0.0)
        return np.asarray((width * np.maximum(height - self._samples[:, :, 1:], 0.0)).sum(axis=2).mean(axis=0))

    def take(self, candidate: int) -> None:
        """Add a candidate to the front of each sample."""
        self._fronts = np.concatenate([self._fronts, self._samples[:, candidate, None]], axis=1)


class Volumes:
    """Estimated gains of any number of objectives: shares of random points that only a candidate dominates.

    Args:
        samples: losses ``(S, C, M)``, at most 0, which is where volume ends.
        front: losses ``(F, M)``, the same.
        rng: draws the points.
    """

    def __init__(self, samples: Values, front: Values, rng: np.random.Generator) -> None:
        points = samples.min(axis=(0, 1)) * rng.random((DRAWN * POINTS, samples.shape[2]))
        points = points[~dominated(points, front)][:POINTS]
        reached = [reached_by(sample, points) for sample in samples]
        self._reached: NDArray[np.uint8] = np.stack(reached)  # (S, C, POINTS / 8), a bit for each point

    def expected(self) -> Values:
        """Return the mean number of points ``(C,)`` that each candidate adds."""
        return np.asarray(np.bitwise_count(self._reached).sum(axis=2, dtype=np.int64).mean(axis=0))

    def take(self, candidate: int) -> None:
        """Remove what a candidate dominates in each sample."""
        self._reached = self._reached & ~self._reached[:, candidate, None]


def reached_by(losses: Values, points: Values) -> NDArray[np.uint8]:
    """Return the bits ``(C, POINTS / 8)`` of points ``(P, M)`` that losses ``(C, M)`` are nowhere worse than."""
    inside = np.logical_and.reduce([losses[:, m, None] <= points[:, m] for m in range(points.shape[1])])
    return np.packbits(inside, axis=1)


def dominated(points: Values, front: Values) -> NDArray[np.bool_]:
    """Return the mask ``(n,)`` of points ``(n, M)`` that a row of ``front`` ``(F, M)`` is nowhere worse than."""
    covered = np.zeros(len(points), dtype=bool)
    for row in front:
        covered |= (row <= points).all(axis=1)
    return covered
