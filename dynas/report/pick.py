"""Choosing the one sub-network to deploy from the measured fronts, and saying why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Objective, Values
from dynas.core.pareto import non_dominated
from dynas.errors import DynasError, one_of
from dynas.report.text import amount, point_text, readable
from dynas.runs.load import Run

KNEE = "knee"
HOW = "give limits and one objective such as 'top1>=80,macs', a limit such as 'latency<=20', or knee"


@dataclass(frozen=True)
class Wish:
    """What the sub-network has to be like.

    Attributes:
        limits: per limit the objective's column, ``<=`` or ``>=``, and the value in its unit.
        best: column of the objective that it is to be best at; None for the knee.
    """

    limits: tuple[tuple[int, str, float], ...]
    best: int | None


@dataclass(frozen=True, eq=False)
class Pick:
    """The chosen sub-network.

    Attributes:
        run: the run that measured it.
        row: its position in that run.
        reason: why it was chosen, in one or two sentences.
    """

    run: Run
    row: int
    reason: str


def parse_wish(text: str, objectives: Sequence[Objective], original: Values | None = None) -> Wish:
    """Return the wish of a text such as ``latency<=20``, ``top1>=80,macs``, ``top1`` or ``knee``.

    Where no objective is named, the only one without a limit is optimised, and the knee is taken where there are
    several or none.

    Args:
        text: what is wished for; ``latency<=0.6x`` is a limit of 0.6 times what the original has.
        objectives: of the runs.
        original: values of the original ``(M,)``, where one was measured.

    Raises:
        DynasError: the text means nothing, or names an unknown objective.
    """
    names = [objective.name for objective in objectives]
    limits: list[tuple[int, str, float]] = []
    aims: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        match = re.fullmatch(r"([\w.]+)\s*(<=|>=|<|>|=)\s*(.*)", part)
        name = match[1] if match else part
        if name not in (*names, KNEE):
            raise one_of("objective", name, names) if part else DynasError(f"--pick '{text}': {HOW}")
        if match is None:
            aims.append(name)
            continue
        share = re.fullmatch(r"(.+)x", match[3])
        if share and original is None:
            raise DynasError(f"--pick '{text}': no original was measured that {match[3]} could be a share of; {HOW}")
        try:
            factor = 1.0 if share is None or original is None else float(original[names.index(name)])
            value = float(share[1] if share else match[3]) * factor
        except ValueError as error:
            raise DynasError(f"--pick '{text}': '{match[3]}' is no number; {HOW}") from error
        if name == KNEE or match[2] == "=" or not np.isfinite(value):
            raise DynasError(f"--pick '{text}': {HOW}")
        limits.append((names.index(name), match[2][0] + "=", value))
    if len(aims) > 1:
        raise DynasError(f"--pick '{text}' names several aims, {' and '.join(aims)}: {HOW}")
    free = [column for column in range(len(names)) if column not in {limit[0] for limit in limits}]
    if not aims and limits and len(free) == 1:
        return Wish(tuple(limits), free[0])
    return Wish(tuple(limits), names.index(aims[0]) if aims and aims[0] != KNEE else None)


def pick(runs: Sequence[Run], wish: Wish) -> Pick:
    """Return the sub-network of the joint front of comparable runs that a wish chooses.

    The knee is the member of the front that is farthest beyond the plane through the best of each objective, all
    scaled to their range on the front (Das 1999, Structural Optimization 18, 107-115).

    Raises:
        DynasError: nothing on the front is within the limits; the message says what comes nearest.
    """
    objectives = runs[0].objectives
    members = {(run.keys[row], *run.values[row]): (run, int(row)) for run in reversed(runs) for row in run.front}
    if not members:
        raise DynasError("nothing to pick from: no sub-network within the bounds was measured")
    rows = list(members.values())  # each sub-network once, although several runs may have found it
    values = np.stack([run.values[row] for run, row in rows])
    losses = np.stack([run.losses[row] for run, row in rows])
    inside = np.ones(len(rows), dtype=bool)
    for column, sign, limit in wish.limits:
        inside &= values[:, column] <= limit if sign == "<=" else values[:, column] >= limit
    if not inside.any():
        raise DynasError(_nearest(objectives, wish, values))
    left = np.flatnonzero(inside)
    left = left[non_dominated(losses[left])]
    distance = beyond_plane(losses[left])
    order = distance.argmax() if wish.best is None else np.lexsort((-distance, losses[left, wish.best]))[0]
    chosen = int(left[order])
    reason = _reason(objectives, wish, len(left)) + _next(objectives, wish, losses[left], int(order))
    return Pick(*rows[chosen], reason)


def beyond_plane(losses: Values) -> Values:
    """Return how far ``(n,)`` each row of a front ``(n, M)`` lies beyond the plane through the best of each objective.

    That is 1 - the sum of the losses in shares of their ranges: 0 on the plane, 1 where everything is best.
    """
    span = np.ptp(losses, axis=0)
    scaled = (losses - losses.min(axis=0)) / np.where(span > 0, span, 1.0)
    return np.asarray(1.0 - scaled.sum(axis=1))


def _reason(objectives: Sequence[Objective], wish: Wish, n: int) -> str:
    limits = " and ".join(_limit_text(objectives, limit) for limit in wish.limits)
    among = f"the {n} on the front" + (f" with {limits}" if limits else "")
    if n == 1:
        return f"it is the only one on the front{' with ' + limits if limits else ''}."
    if wish.best is not None:
        return f"of {among}, it has the {_best_word(objectives[wish.best])} {objectives[wish.best].name}."
    return (
        f"it is the knee of {among}: from it, every way to the others costs more of one objective than it gains of "
        f"another, in shares of the ranges of {' and '.join(objective.name for objective in objectives)}."
    )


def _next(objectives: Sequence[Objective], wish: Wish, losses: Values, chosen: int) -> str:
    """Return a sentence on the next one that is cheaper, for two objectives; empty where there is none."""
    if len(objectives) != 2 or len(losses) == 1:
        return ""
    aim = wish.best if wish.best is not None else 0
    other = 1 - aim
    cheaper: NDArray[np.int64] = np.flatnonzero(losses[:, other] < losses[chosen, other])
    if not len(cheaper):
        return ""
    following = cheaper[losses[cheaper, aim].argmin()]
    step = np.abs(losses[following] - losses[chosen])
    won, lost = (amount(float(step[column]), objectives[column]) for column in (other, aim))
    more = "lower" if objectives[other].direction == "min" else "higher"
    return (
        f" The next with {more} {objectives[other].name} gains {won} there and loses {lost} of {objectives[aim].name}."
    )


def _nearest(objectives: Sequence[Objective], wish: Wish, values: Values) -> str:
    """Return what to say where nothing is within the limits."""
    limits = " and ".join(_limit_text(objectives, limit) for limit in wish.limits)
    reach = []
    for column, sign, _ in wish.limits:
        best = values[:, column].min() if sign == "<=" else values[:, column].max()
        reach.append(f"the {'least' if sign == '<=' else 'most'} {objectives[column].name} is {readable(float(best))}")
    return f"nothing on the front has {limits}: {', and '.join(reach)} there; give a looser limit"


def _limit_text(objectives: Sequence[Objective], limit: tuple[int, str, float]) -> str:
    column, sign, value = limit
    return f"{objectives[column].name} {sign} {readable(value)} {objectives[column].unit}"


def _best_word(objective: Objective) -> str:
    return "highest" if objective.direction == "max" else "lowest"


def values_text(chosen: Pick) -> str:
    """Return the measured values of the chosen sub-network as text."""
    return point_text(chosen.run.objectives, chosen.run.values[chosen.row].tolist())
