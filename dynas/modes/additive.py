"""Scores of one change at a time, added up: what most tools for language models choose sub-networks by."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from dynas.core.activity import doing
from dynas.core.algorithm import AlgorithmFactory
from dynas.core.evaluation import Observer
from dynas.core.evaluator import Evaluator
from dynas.core.mode import Predictors
from dynas.core.objectives import Values
from dynas.core.problem import Batch, Problem
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasWarning
from dynas.modes.base import check_algorithm
from dynas.modes.knapsack import lightest_within
from dynas.modes.prediction import fill

TRIES = 4  # limits for each evaluation that is left, since several of them may lead to the same sub-network


class Additive:
    """Measures the largest sub-network and what differs from it in one gene, and chooses by the sum of differences.

    Within many limits on all objectives but the first, what the sum says is best in the first is measured, as in Puzzle
    (Bercovich et al. 2024, arXiv:2411.19146, section 3). What several changes do together is not seen by it.
    """

    def check(self, problem: Problem, make_algorithm: AlgorithmFactory) -> None:
        """Raise DynasError where the algorithm, which only others use, cannot handle the problem."""
        check_algorithm(make_algorithm, problem.space, len(problem.objectives))

    def run(
        self,
        evaluate: Evaluator,
        make_algorithm: AlgorithmFactory,
        make_predictors: Predictors,
        rng: np.random.Generator,
        observer: Observer | None = None,
        start: Genotypes | None = None,
    ) -> None:
        """Measure, add up, choose, measure (see `dynas.core.mode.SearchMode`)."""
        problem, space = evaluate.problem, evaluate.problem.space
        if start is not None:
            evaluate(start)
        singles = changed_in_one(space, rng)
        if len(singles) >= evaluate.remaining and space.size > evaluate.remaining:
            warnings.warn(
                f"budget={evaluate.budget} ends among the {len(singles)} sub-networks that tell what each change does, "
                f"before any is chosen by them: give budget={2 * len(singles)} or more",
                DynasWarning,
                stacklevel=4,  # whoever called dynas.search
            )
        known = evaluate(singles)
        if not evaluate.remaining:
            return
        chosen = np.empty((0, space.n_genes), dtype=np.int64)
        if (first := known.select((known.genotypes == singles[0]).all(axis=1))).measured.any():
            with doing("choosing by sums of scores"):
                room = room_of(problem, first.losses[0])
                wanted = min(evaluate.remaining, space.size - len(evaluate.seen()))  # no more than there are
                chosen = best_within(space, added(space, known, first), room, evaluate.seen(), wanted, rng)
        evaluate(fill(chosen, space, evaluate.seen(), evaluate.remaining, rng))


def changed_in_one(space: SearchSpace, rng: np.random.Generator) -> Genotypes:
    """Return the largest canonical genotype, and behind it in random order all that differ from it in one gene."""
    largest = space.largest()
    rows = np.repeat(largest[None], int(space.cardinality.sum()), axis=0)
    genes = np.repeat(np.arange(space.n_genes), space.cardinality)
    rows[np.arange(len(rows)), genes] = np.concatenate([np.arange(count) for count in space.cardinality])
    others = np.unique(space.canonical(rows), axis=0)
    others = others[(others != largest).any(axis=1)]
    return np.concatenate([largest[None], rng.permutation(others)])


def added(space: SearchSpace, singles: Batch, largest: Batch) -> NDArray[np.float64]:
    """Return what an option adds to the losses of the largest sub-network ``(M, D)``; infinite where nobody knows.

    Args:
        space: what the sub-networks are of.
        singles: what differs from the largest in one gene, as far as it is measured.
        largest: that one.
    """
    own = space.one_hot(largest.genotypes)[0] > 0
    new = (space.one_hot(singles.genotypes) > 0) & ~own  # what is switched off by a change is no feature
    scores = np.full((singles.losses.shape[1], space.n_features), np.inf)
    scores[:, own] = 0.0
    for row in np.flatnonzero(singles.measured):
        scores[:, new[row]] = (singles.losses[row] - largest.losses[0])[:, None]
    return scores


def room_of(problem: Problem, losses: Values) -> Values:
    """Return what may be added to the losses ``(M,)`` of the largest sub-network before a bound is reached."""
    bounds = [one.sign * one.bound if one.bound is not None else np.inf for one in problem.objectives]
    return np.array(bounds) - losses


def best_within(
    space: SearchSpace, scores: NDArray[np.float64], room: Values, seen: set[bytes], n: int, rng: np.random.Generator
) -> Genotypes:
    """Return up to ``n`` unmeasured genotypes that are best in the first objective within limits on the others.

    Args:
        space: what they are chosen from.
        scores: what options add to each loss ``(M, D)``.
        room: what may be added at most ``(M,)``.
        seen: what is measured already.
        n: how many.
        rng: where the limits come from.
    """
    scale = np.array([np.abs(row[np.isfinite(row)]).max() or 1.0 for row in scores])
    scores, room = scores / scale[:, None], room / scale
    ends = [best for row in scores if (best := lightest_within(space, row, scores, room)) is not None]
    if not ends:
        return np.empty((0, space.n_genes), dtype=np.int64)
    features = space.one_hot(np.stack(ends)) > 0
    sums = np.array([[row[own].sum() for row in scores] for own in features])
    least, most = sums.min(axis=0), sums.max(axis=0)
    shares = qmc.Halton(max(len(scores) - 1, 1), rng=rng).random(TRIES * n)[:, : len(scores) - 1]
    chosen: dict[bytes, Genotypes] = {}
    for drawn in np.concatenate([np.ones((len(shares), 1)), shares], axis=1):
        best = lightest_within(space, scores[0], scores, np.minimum(room, least + drawn * (most - least)))
        if best is not None and best.tobytes() not in seen:
            chosen[best.tobytes()] = best
        if len(chosen) == n or len(scores) == 1:
            break
    return np.array(list(chosen.values()), dtype=np.int64).reshape(-1, space.n_genes)
