"""The best sub-network of an additive model within limits: a multiple-choice knapsack, solved exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.core.space import Genotypes, SearchSpace


def lightest_within(
    space: SearchSpace, weights: Values, costs: NDArray[np.float64], limits: Values
) -> Genotypes | None:
    """Return the canonical genotype ``(G,)`` of the least weight whose costs keep to the limits; None where none does.

    A mixed-integer programme for HiGHS (Huangfu and Hall 2018, 10.1007/s12532-017-0130-5).

    Args:
        space: what it is chosen from.
        weights: of the one-hot features ``(D,)``; infinite ones are not chosen.
        costs: of the same ``(K, D)``.
        limits: of each sum of costs ``(K,)``; infinite ones limit nothing.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    matrix, right, upper = space.equations()
    allowed = np.isfinite(weights) & np.isfinite(costs).all(axis=0)
    constraints = [LinearConstraint(matrix, right, right)]
    if np.isfinite(limits).any():
        constraints.append(LinearConstraint(np.where(allowed, costs, 0.0), -np.inf, limits))
    found = milp(
        np.where(allowed, weights, 0.0),
        integrality=np.ones(len(weights)),
        options={"presolve": False},  # which now and then prints what it does, and gains nothing at this size
        bounds=Bounds(0, np.where(allowed, upper, 0.0)),
        constraints=constraints,
    )
    return None if found.x is None else space.from_one_hot(np.round(found.x)[None])[0]
