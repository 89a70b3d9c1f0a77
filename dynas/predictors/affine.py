"""Bringing a latency predictor to another device by a few measurements there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values

FEWEST = 3  # measurements, below which nothing could tell a bad one
HUBER = 1.345  # scaled errors beyond this count less (Huber 1964, doi 10.1214/aoms/1177703732)
ROUNDS = 30


@dataclass(frozen=True)
class Affine:
    """A straight line from predictions for one device to values of another."""

    factor: float
    offset: float

    def __call__(self, predicted: Values) -> Values:
        """Return the values ``(n,)`` of predictions ``(n,)``."""
        return self.factor * predicted + self.offset


def fit_affine(predicted: Values, measured: Values) -> Affine:
    """Return the line from predictions ``(n,)`` to measured positive values ``(n,)``, ``n >= 3``.

    Small relative errors count by their square, large ones by their size, so that one disturbed measurement does not
    spoil the line; `scripts/benchmarks/transfer.py` compares it with others. It starts from the line through two of the
    points that has the smallest sum of relative errors. Equal predictions give a factor of 0.
    """
    lines = through_pairs(predicted, measured)
    terms = np.stack([predicted, np.ones_like(predicted)], axis=1) / measured[:, None]
    errors = np.abs(lines @ terms.T - 1)
    line, error = lines[errors.sum(axis=1).argmin()], errors[errors.sum(axis=1).argmin()]
    scale = 1.4826 * np.median(error) * len(predicted) / (len(predicted) - 2)  # two errors are 0 by construction
    for _ in range(ROUNDS if scale > 0 and len(lines) > 1 else 0):
        scaled = np.abs(terms @ line - 1) / scale
        root = np.sqrt(np.minimum(1.0, HUBER / np.maximum(scaled, 1e-12)))
        line = np.linalg.lstsq(terms * root[:, None], root, rcond=None)[0]
    return Affine(float(line[0]), float(line[1]))


def through_pairs(predicted: Values, measured: Values) -> Values:
    """Return factor and offset ``(k, 2)`` of the lines through any two points; where there is none, a level line."""
    first, second = np.triu_indices(len(predicted), 1)
    apart = predicted[first] != predicted[second]
    first, second = first[apart], second[apart]
    if len(first) == 0:
        return np.array([[0.0, float(np.median(measured))]])
    factor = (measured[second] - measured[first]) / (predicted[second] - predicted[first])
    return np.stack([factor, measured[first] - factor * predicted[first]], axis=1)


def spread_ranks(predicted: Values, n: int) -> NDArray[np.int64]:
    """Return the indices of ``n`` of the predictions ``(m,)``: smallest, largest, and equal steps of rank between."""
    order = np.argsort(predicted, kind="stable")
    return np.asarray(order[np.linspace(0, len(predicted) - 1, n).round().astype(int)])
