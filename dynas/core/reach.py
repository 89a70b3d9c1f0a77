"""Whether anything in a space can keep to the bounds, as far as that is computed and not measured."""

from __future__ import annotations

import numpy as np

from dynas.core.objectives import Objective, Values
from dynas.core.problem import ExactCount, Problem
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError

TRIED = 1000  # random sub-networks beside the smallest and the largest


def check_bounds(problem: Problem) -> None:
    """Raise DynasError where a bound on what is exactly computed leaves no sub-network."""
    for objective in problem.objectives:
        if objective.bound is None or objective.name not in problem.exact:
            continue
        best = reached(objective, problem.exact[objective.name], problem.space)
        if objective.sign * (best - objective.bound) > 0:
            told = f"{best:,.6g} {objective.unit}".rstrip()
            raise DynasError(
                f"bound={objective.bound:g} of objective {objective.name} leaves no sub-network: the "
                f"{'least' if objective.sign > 0 else 'most'} that one has is {told}; give a bound that allows it"
            )


def reached(objective: Objective, count: ExactCount, space: SearchSpace) -> float:
    """Return the best value that is found: of both ends and random ones the best, changed gene by gene to its best."""
    rows = np.vstack([space.smallest(), space.largest(), space.sample(TRIED, np.random.default_rng(0))])
    best = np.inf
    while True:
        losses: Values = objective.sign * np.asarray(count(rows), dtype=float)
        losses = np.where(np.isfinite(losses), losses, np.inf)
        place = int(np.argmin(losses))
        if not losses[place] < best:
            return float(objective.sign * best)
        best, rows = losses[place], changed(rows[place], space)


def changed(genotype: Genotypes, space: SearchSpace) -> Genotypes:
    """Return the canonical genotypes ``(n, G)`` that differ from one in a single gene, and it itself."""
    rows = [genotype]
    options = [len(one.choices) for one in space.variables for _ in range(one.length)]
    for gene, number in enumerate(options):
        for option in range(number):
            rows.append(genotype.copy())
            rows[-1][gene] = option
    return space.canonical(np.stack(rows))
