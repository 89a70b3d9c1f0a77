"""When candidates are proposed and measured: in rounds that wait for all of theirs, or one for each that is done."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from dynas.core.evaluator import Evaluator
from dynas.core.space import Genotypes
from dynas.errors import DynasWarning

Propose = Callable[[int], Genotypes]  # from a number of candidates to new ones, given all that is known by now
Rounds = Callable[[Evaluator, Genotypes, Callable[[], int], Propose], None]  # (evaluate, first, population, propose)


def fixed(evaluate: Evaluator, first: Genotypes, population: Callable[[], int], propose: Propose) -> None:
    """Measure ``population()`` candidates at a time, however many workers there are: results depend on none of them."""
    if evaluate.workers > population():
        warnings.warn(
            f"{evaluate.workers} workers for rounds of {population()} candidates: the others wait; "
            "mode.rounds=workers or mode.rounds=asynchronous gives them work",
            DynasWarning,
            stacklevel=2,
        )
    in_step(evaluate, first, population, propose)


def by_workers(evaluate: Evaluator, first: Genotypes, population: Callable[[], int], propose: Propose) -> None:
    """Measure as many candidates at a time as keep all workers busy: ``population()`` rounded up to a multiple."""
    workers = evaluate.workers
    in_step(evaluate, first, lambda: -(-population() // workers) * workers, propose)


def in_step(evaluate: Evaluator, first: Genotypes, population: Callable[[], int], propose: Propose) -> None:
    """Measure all candidates of a round before the next ones are chosen."""
    candidates = first
    while len(candidates):
        evaluate(candidates)
        if not evaluate.remaining:
            return
        candidates = propose(min(population(), evaluate.remaining))


def asynchronous(evaluate: Evaluator, first: Genotypes, population: Callable[[], int], propose: Propose) -> None:
    """Choose a new candidate for each that is done, so that no worker waits for the slowest of a round.

    The order in which candidates are done depends on time, and with it what is proposed. A resumed run therefore
    cannot ask for the same again; it takes over what is stored and goes on from there.
    """
    evaluate.adopt()
    evaluate.submit(first)
    watched = len(evaluate.history)
    while True:
        evaluate.collect()
        if len(evaluate.history) >= watched + population():  # a round's worth, so that patience means the same
            watched = len(evaluate.history)
            evaluate.stopping.watch(evaluate.measured.front().losses)
        if (free := min(evaluate.workers - len(evaluate.pending), evaluate.remaining)) > 0:
            evaluate.submit(propose(free))
        if not len(evaluate.pending):
            return


ROUNDS: dict[str, Rounds] = {"fixed": fixed, "workers": by_workers, "asynchronous": asynchronous}
