"""Hypervolumes as shares of the box between the worst and the best that any of the compared runs measured.

As the normalised ones of Cummings et al. 2022, Table 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynas.core.objectives import losses
from dynas.paper.claims import SameSearchError
from dynas.report.compare import Comparison, Group, standard_error


def group_of(comparison: Comparison, name: str) -> Group:
    """Return the runs of a search; raise SameSearchError where they go by the name of another one."""
    for group in comparison.groups:
        if group.name == name:
            return group
    raise SameSearchError(f"'{name}' is the same search as another one at this size")


def box(comparison: Comparison) -> float:
    """Return the product of the ranges of all objectives that were measured in any of the runs."""
    measured = np.concatenate([run.first.losses[run.first.feasible] for run in comparison.runs])
    worst = losses(comparison.objectives, np.array([comparison.reference]))[0]
    return float(np.prod(worst - measured.min(axis=0)))


def volume(comparison: Comparison, name: str, evaluations: int | None = None) -> tuple[float, float]:
    """Return mean and standard error (NaN for one run) of a hypervolume after so many evaluations, or at the end."""
    common = group_of(comparison, name).common / box(comparison)
    column = min(evaluations or common.shape[1], common.shape[1]) - 1
    return float(common[:, column].mean()), float(standard_error(common)[column])


def as_many(comparison: Comparison, names: Sequence[str], evaluations: int) -> int:
    """Return a number of evaluations, or what all of these searches have where one has fewer."""
    return min(evaluations, *(group_of(comparison, name).evaluations for name in names))


def volumes(comparison: Comparison, names: Sequence[str], evaluations: int | None = None) -> str:
    """Return the hypervolumes of searches, in words."""
    texts = [f"{name} {volume(comparison, name, evaluations)[0]:.3f}" for name in names]
    return ", ".join(texts) + (f" after {evaluations} evaluations" if evaluations else " at the end")
