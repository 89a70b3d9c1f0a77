"""What is searched, and candidates with their losses: all that an algorithm sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dynas.core.constraint import Constraint
from dynas.core.objectives import Objective, Values, losses, violation
from dynas.core.pareto import non_dominated
from dynas.core.space import Genotypes, SearchSpace

ExactCount = Callable[[Genotypes], NDArray[np.int64] | Values]


@dataclass(frozen=True)
class Problem:
    """What is searched: a space, objectives, and functions for those that need no measurement.

    Attributes:
        space: the sub-networks.
        objectives: ``M`` objectives, in column order.
        exact: per exact objective, the function from canonical genotypes ``(n, G)`` to values ``(n,)``.
        constraints: what a sub-network has to keep to besides, whatever it measures.
        original: canonical genotype ``(G,)`` of the network that all others are made from, where there is one.
        shares: by objective, the bound as a share of what the original has: its bound once that is measured.
        bands: by objective, a share of its bound: what is better than that is worth no more, so that a search stays
            near the bound.
    """

    space: SearchSpace
    objectives: tuple[Objective, ...]
    exact: Mapping[str, ExactCount] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    original: NDArray[np.int64] | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    bands: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """Answered candidates: canonical ``genotypes`` (n, G), ``losses`` (n, M) and ``violation`` (n,).

    A candidate that could not be measured has NaN losses and an infinite violation.
    """

    genotypes: Genotypes
    losses: Values
    violation: Values

    def __len__(self) -> int:
        return len(self.genotypes)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Mask ``(n,)`` of candidates that have losses."""
        return np.asarray(np.isfinite(self.losses).all(axis=1))

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Batch:
        """Return the batch of some rows."""
        return Batch(self.genotypes[rows], self.losses[rows], self.violation[rows])

    def front(self) -> Batch:
        """Return the non-dominated among the measured candidates within all bounds."""
        allowed = self.select(self.measured & (self.violation <= 0))
        return allowed.select(non_dominated(allowed.losses))


def make_batch(problem: Problem, genotypes: Genotypes, values: Values) -> Batch:
    """Turn values ``(n, M)`` of canonical genotypes ``(n, G)`` into a batch; NaN marks a failed candidate."""
    failed = np.asarray(~np.isfinite(values).all(axis=1))
    beyond = violation(problem.objectives, np.where(failed[:, None], 0.0, values))
    for constraint in problem.constraints:
        beyond += constraint.violation(problem.space, genotypes)
    beyond[failed] = np.inf
    return Batch(genotypes, np.where(failed[:, None], np.nan, worth(problem, values)), beyond)


def worth(problem: Problem, values: Values) -> Values:
    """Turn values ``(n, M)`` into losses ``(n, M)``; what is better than the edge of a band counts as that edge."""
    edges = [
        np.inf if one.bound is None or one.name not in problem.bands else one.sign * one.bound * problem.bands[one.name]
        for one in problem.objectives
    ]
    found = losses(problem.objectives, values)
    return np.where(np.isinf(edges), found, np.maximum(found, edges))


def concatenate(batches: Sequence[Batch]) -> Batch:
    """Return one batch of all rows."""
    return Batch(
        np.concatenate([batch.genotypes for batch in batches]),
        np.concatenate([batch.losses for batch in batches]),
        np.concatenate([batch.violation for batch in batches]),
    )
