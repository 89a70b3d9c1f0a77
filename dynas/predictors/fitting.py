"""What the predictors' fits share: checked settings, a standardised target, folds, distances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.errors import DynasError

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


def positive(key: str, numbers: Sequence[float]) -> tuple[float, ...]:
    """Return the choices of a setting; raise DynasError, naming its key, unless there are some, all positive."""
    if not numbers or min(numbers) <= 0:
        raise DynasError(f"predictor.{key} needs positive numbers, got {list(numbers)}")
    return tuple(float(number) for number in numbers)


def check_folds(folds: int) -> int:
    """Return the number of folds; raise DynasError where it leaves nothing to learn from."""
    if folds < 2:
        raise DynasError(f"predictor.folds needs at least 2, got {folds}")
    return folds


def standardised(target: Values) -> tuple[Values, float, float]:
    """Return a target ``(n,)`` with mean 0 and deviation 1, its mean and its deviation.

    A constant target becomes zeros with a deviation of 0, so that a prediction scaled back is exactly the constant.
    """
    mean, scale = float(target.mean()), float(target.std())
    if scale <= 1e-12 * abs(mean):  # equal values, up to rounding
        return np.zeros_like(target), mean, 0.0
    return (target - mean) / scale, mean, scale


def make_folds(n: int, folds: int) -> list[Fold]:
    """Return the training and test rows of each fold, always the same ones for ``n`` rows."""
    from sklearn.model_selection import KFold  # with pandas, which it imports, a fifth of a search's memory

    return list(KFold(min(folds, n), shuffle=True, random_state=0).split(np.empty(n)))


def squared_distances(left: Values, right: Values) -> Values:
    """Return the squared distances ``(n, m)`` between rows ``(n, D)`` and ``(m, D)``."""
    distances = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    distances -= 2 * left @ right.T  # in place, here and below: fresh pages cost more than the arithmetic
    return np.asarray(np.maximum(distances, 0.0, out=distances))
