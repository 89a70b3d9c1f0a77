"""Non-dominated sets and hypervolume, on losses (lower is better)."""

from __future__ import annotations

from collections.abc import Sequence

import moocore
import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values

TOGETHER = 1000  # rows that are compared with the front at once


def non_dominated(losses: Values) -> NDArray[np.bool_]:
    """Return the mask ``(n,)`` of rows of ``losses`` ``(n, M)`` that no other row dominates; equal rows all stay."""
    if len(losses) == 0:
        return np.zeros(0, dtype=bool)
    return np.asarray(moocore.is_nondominated(losses, keep_weakly=True))


def hypervolume(losses: Values, reference: Sequence[float] | Values) -> float:
    """Return the volume that ``losses`` ``(n, M)`` dominate up to the point ``reference`` ``(M,)``.

    Zitzler and Thiele 1999 (doi 10.1109/4235.797969). Rows beyond the reference add nothing; its unit is the
    product of the objectives' units.
    """
    point = np.asarray(reference, dtype=float)
    inside = losses[(losses < point).all(axis=1)]
    if len(inside) == 0:
        return 0.0
    if inside.shape[1] == 1:
        return float(point[0] - inside.min())
    return float(moocore.hypervolume(inside, ref=point))


def hypervolume_curve(losses: Values, reference: Sequence[float] | Values) -> Values:
    """Return the hypervolume ``(n,)`` after each row of ``losses`` ``(n, M)``; NaN rows add nothing.

    Only rows that are not dominated by earlier ones cost a new computation.
    """
    point = np.asarray(reference, dtype=float)
    front = np.empty((0, losses.shape[1]))
    curve = np.zeros(len(losses))
    inside = np.flatnonzero((losses < point).all(axis=1))
    for start in range(0, len(inside), TOGETHER):
        rows = inside[start : start + TOGETHER]
        for row in rows[~_covered(losses[rows], front)]:
            loss = losses[row]
            if not (front <= loss).all(axis=1).any():
                front = np.vstack([front[~(loss <= front).all(axis=1)], loss])
                curve[row] = hypervolume(front, point)
    return np.asarray(np.maximum.accumulate(curve))


def _covered(losses: Values, front: Values) -> NDArray[np.bool_]:
    """Return the mask ``(n,)`` of losses ``(n, M)`` that a row of ``front`` equals or dominates."""
    covered = np.ones((len(losses), len(front)), dtype=bool)
    for column in range(losses.shape[1]):
        covered &= front[:, column] <= losses[:, column, None]
    return np.asarray(covered.any(axis=1))


def nadir(losses: Values) -> Values:
    """Return the worst finite loss ``(M,)`` of each column; zeros where nothing was measured."""
    finite = losses[np.isfinite(losses).all(axis=1)]
    return finite.max(axis=0) if len(finite) else np.zeros(losses.shape[1])


def spread(losses: Values, n: int) -> NDArray[np.int64]:
    """Return the indices of up to ``n`` rows of ``losses`` ``(m, M)`` that lie far apart, in the order of choice.

    Starts from the best row of each objective, then adds the row that is farthest from those chosen, every
    objective scaled to its range.
    """
    n = min(n, len(losses))
    if n == 0:
        return np.empty(0, dtype=np.int64)
    span = np.ptp(losses, axis=0)
    scaled = (losses - losses.min(axis=0)) / np.where(span > 0, span, 1.0)
    chosen = list(dict.fromkeys(int(index) for index in losses.argmin(axis=0)))[:n]
    distance = np.min([np.linalg.norm(scaled - scaled[index], axis=1) for index in chosen], axis=0)
    distance[chosen] = -1.0
    while len(chosen) < n:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(scaled - scaled[chosen[-1]], axis=1))
        distance[chosen] = -1.0
    return np.array(chosen)


def first_fronts(losses: Values, violation: Values, n: int) -> NDArray[np.int64]:
    """Return the rows of up to ``n`` candidates: the best fronts, spread along the last, then the least violations.

    Args:
        losses: of the candidates ``(m, M)``.
        violation: how far each is beyond its bounds ``(m,)``.
        n: candidates wanted.
    """
    rows: list[NDArray[np.int64]] = []
    left = np.flatnonzero(violation <= 0)
    missing = n
    while missing and len(left):
        mask = non_dominated(losses[left])
        front = left[mask]
        rows.append(front[spread(losses[front], missing)])
        missing -= len(rows[-1])
        left = left[~mask]
    beyond = np.flatnonzero(violation > 0)
    rows.append(beyond[np.argsort(violation[beyond], kind="stable")[:missing]])
    return np.concatenate(rows)
