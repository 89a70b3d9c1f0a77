"""What is measured before there are predictors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynas.core.problem import Problem
from dynas.core.space import Genotypes

Design = Callable[[Problem, int, np.random.Generator], Genotypes]  # (problem, n, rng) -> canonical genotypes (n, G)
COARSE = 4
POOL = 50  # drawn candidates per one that is chosen


def uniform(problem: Problem, n: int, rng: np.random.Generator) -> Genotypes:
    """Return random sub-networks ``(n, G)``, every gene drawn uniformly."""
    return problem.space.sample_distinct(n, rng)


def stratified(problem: Problem, n: int, rng: np.random.Generator) -> Genotypes:
    """Return the smallest and the largest sub-network and others at even steps of cost in between.

    Uniform genes give sub-networks of much the same middling size. Here every design variable of every candidate has
    a level of its own, drawn evenly between 0 and 1, about which its genes lie. Cost is the first exact objective to
    be minimised, or else the mean level.
    """
    space = problem.space
    corners = np.unique(np.stack([space.smallest(), space.largest()]), axis=0)[:n]
    pool = level_sample(problem, POOL * n, rng)
    exact = [one.name for one in problem.objectives if one.exact and one.direction == "min"]
    sizes = problem.exact[exact[0]](pool) if exact else space.levels(pool)[:, : len(space.variables)].mean(axis=1)
    cost = np.asarray(sizes, dtype=float)
    order = np.argsort(cost, kind="stable")
    rest = n - len(corners)
    steps = np.linspace(cost.min(), cost.max(), rest + 2)[1:-1]
    chosen = order[np.minimum(np.searchsorted(cost[order], steps), len(order) - 1)]
    rows = {row.tobytes(): row for row in np.concatenate([corners, pool[chosen]])}
    missing = space.sample_distinct(n - len(rows), rng, set(rows))
    return np.concatenate([np.array(list(rows.values())), missing])


def level_sample(problem: Problem, n: int, rng: np.random.Generator) -> Genotypes:
    """Return ``n`` canonical genotypes whose design variables have levels of their own; repeats are possible.

    Genes of many ordered options lie as far apart from their level as those of `COARSE` options do, for what single
    genes are worth is not to be told where all of a variable have nearly the same place.
    """
    space = problem.space
    lengths = [variable.length for variable in space.variables]
    level = np.repeat(rng.random((n, len(lengths))), lengths, axis=1)
    if not space.fine.any():
        return space.canonical(rng.binomial(space.cardinality - 1, level))
    steps = np.where(space.fine, COARSE, space.cardinality)
    drawn = rng.binomial(steps - 1, level)
    between = (drawn + rng.random(drawn.shape)) * space.cardinality / steps
    return space.canonical(np.where(space.fine, between.astype(np.int64), drawn))


DESIGNS: dict[str, Design] = {"uniform": uniform, "stratified": stratified}
