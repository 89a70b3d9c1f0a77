"""What judges a claim about searches, with numbers from the runs only; hypervolumes are normalised."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from dynas.paper.claims import DIRECTION, FAILS, HOLDS, UNTRIED, Finding, of_difference, of_ratio, of_truth
from dynas.paper.normalised import as_many, group_of, volume, volumes
from dynas.paper.tables import cpu_seconds, hours_of_an_evaluation
from dynas.report.compare import Comparison

Judge = Callable[[Comparison], Finding]


def ahead(subject: str, rivals: Sequence[str], evaluations: int | None = None) -> Judge:
    """Judge that a search has a larger hypervolume than all rivals have, after so many evaluations."""

    def judge(comparison: Comparison) -> Finding:
        names = [subject, *rivals]
        count = as_many(comparison, names, evaluations) if evaluations else None
        mine, error = volume(comparison, subject, count)
        best, other = max(volume(comparison, rival, count) for rival in rivals)
        here = volumes(comparison, names, count)
        return of_difference(mine - best, math.hypot(error, other), here)

    return judge


def fewer(subject: str, rival: str, goal: str, paper: float) -> Judge:
    """Judge how many times fewer evaluations a search needs than a rival for the final hypervolume of a third one."""

    def judge(comparison: Comparison) -> Finding:
        target = group_of(comparison, goal).hypervolume
        mine = group_of(comparison, subject).evaluations_to(target)
        theirs = group_of(comparison, rival).evaluations_to(target)
        if not math.isfinite(mine):
            return Finding(f"{subject} does not get there in {group_of(comparison, subject).evaluations:,}", FAILS)
        reached = math.isfinite(theirs)
        least = theirs if reached else group_of(comparison, rival).evaluations
        here = f"{'' if reached else 'more than '}{least / mine:.2f} times: {mine:,.0f} instead of {least:,.0f}"
        later = least > mine or not reached
        return Finding(here, HOLDS if least / mine >= paper else DIRECTION if later else FAILS)

    return judge


def never(subject: str, goal: str) -> Judge:
    """Judge that a search does not reach the final hypervolume of another one with as many evaluations."""

    def judge(comparison: Comparison) -> Finding:
        reached = group_of(comparison, subject).evaluations_to(group_of(comparison, goal).hypervolume)
        return of_truth(not math.isfinite(reached), volumes(comparison, [subject, goal]))

    return judge


def alike(names: Sequence[str], within: float) -> Judge:
    """Judge that searches end within a share of one another."""

    def judge(comparison: Comparison) -> Finding:
        found = [volume(comparison, name)[0] for name in names]
        apart = 1 - min(found) / max(found)
        return of_truth(apart <= within, f"{apart:.1%} apart: {volumes(comparison, names)}")

    return judge


def near_the_best(names: Sequence[str], within: float) -> Judge:
    """Judge that some searches end within a share of the best of all."""

    def judge(comparison: Comparison) -> Finding:
        best = max(volume(comparison, group.name)[0] for group in comparison.groups)
        behind = 1 - min(volume(comparison, name)[0] for name in names) / best
        every = [*names, *(group.name for group in comparison.groups if group.name not in names)]
        return of_truth(behind <= within, f"at most {behind:.1%} behind the best: {volumes(comparison, every)}")

    return judge


def slower(subject: str, rival: str, times: float) -> Judge:
    """Judge that a search takes many times the processor time of a rival for as many evaluations."""

    def judge(comparison: Comparison) -> Finding:
        mine, theirs = (cpu_seconds(group_of(comparison, name).runs) for name in (subject, rival))
        evaluations = group_of(comparison, subject).evaluations
        here = f"{mine:.1f} s of processor time for {evaluations:,} evaluations, {rival} {theirs:.1f} s"
        return of_ratio(mine / theirs, times, here)

    return judge


def catches_up(rival: str, subject: str, paper: int) -> Judge:
    """Judge that a rival needs as many evaluations as the paper says for the final hypervolume of a search."""

    def judge(comparison: Comparison) -> Finding:
        ours, theirs = group_of(comparison, subject), group_of(comparison, rival)
        needed = theirs.evaluations_to(ours.hypervolume)
        reached = math.isfinite(needed)
        least = needed if reached else theirs.evaluations
        when = f"{'after' if reached else 'not in'} {least:,.0f}"
        here = f"{rival} has what {subject} has after {ours.evaluations:,} evaluations {when}"
        later = least > ours.evaluations or not reached
        return Finding(here, HOLDS if least >= paper else DIRECTION if later else FAILS)

    return judge


def more_diverse(subject: str, rival: str) -> Judge:
    """Judge that the front of a search has more members and reaches over more of the second objective."""

    def judge(comparison: Comparison) -> Finding:
        found = []
        for group in (group_of(comparison, subject), group_of(comparison, rival)):
            fronts = [run.values[run.front][:, 1] for run in group.runs]
            found.append((group.front_size, float(np.mean([np.ptp(front) for front in fronts]))))
        (mine, width), (theirs, other) = found
        unit = comparison.objectives[1].unit.split(",")[0]
        here = f"{mine:.0f} members over {width:.1f} {unit}, {rival} {theirs:.0f} over {other:.1f} {unit}"
        return of_truth(mine > theirs and width > other, f"{here}; {volumes(comparison, [subject, rival])}")

    return judge


def cheap(subject: str, table: str, share: float) -> Judge:
    """Judge that a search itself takes at most a share of the time of its evaluations."""

    def judge(comparison: Comparison) -> Finding:
        group = group_of(comparison, subject)
        search, evaluations = cpu_seconds(group.runs), group.evaluations
        measuring = 3600 * hours_of_an_evaluation(table) * evaluations
        here = (
            f"{search:.0f} s of processor time beside {measuring / 60:.0f} minutes of evaluations: "
            f"{search / (search + measuring):.1%} of the total for {evaluations:,} evaluations"
        )
        return of_truth(search <= share * (search + measuring), here)

    return judge


def same(one: str, other: str) -> Judge:
    """Judge that two searches end within two standard errors of one another."""

    def judge(comparison: Comparison) -> Finding:
        (mine, error), (theirs, theirs_error) = volume(comparison, one), volume(comparison, other)
        apart, joint = abs(mine - theirs), math.hypot(error, theirs_error)
        here = f"{volumes(comparison, [one, other])}: {apart:.4f} apart, with a standard error of {joint:.4f}"
        if math.isnan(joint):
            return Finding(f"{volumes(comparison, [one, other])}: one run each tells no standard error", UNTRIED)
        return of_truth(apart <= 2 * joint, here)

    return judge
