"""Further measurements of a run's front, and the means with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dynas.core.objectives import Values

Again = Mapping[str, Sequence[Sequence[float]]]  # per key, further measurements of the noisy objectives


def averaged(first: Values, keys: Sequence[str], columns: Sequence[int], again: Again) -> Values:
    """Return values ``(n, M)`` in which every measurement of a sub-network counts alike.

    Args:
        first: the first measurements ``(n, M)``.
        keys: the ``n`` sub-networks.
        columns: which of the ``M`` objectives were measured again.
        again: the further measurements of these; one that failed makes the mean NaN.
    """
    values = first.copy()
    for row, key in enumerate(keys):
        if key in again:
            values[row, columns] = np.vstack([first[row, columns], *again[key]]).mean(axis=0)
    return values
