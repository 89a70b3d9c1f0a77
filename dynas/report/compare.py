"""Comparing runs: grouped by what differs between them, averaged over seeds, with one reference point for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Objective, Values
from dynas.core.pareto import non_dominated
from dynas.errors import DynasError
from dynas.report.comparable import check_comparable
from dynas.report.groups import chosen_by, group_names, is_search
from dynas.report.indicators import epsilon, holm_p_values, igd_plus, reference_set
from dynas.report.text import known_text, printable
from dynas.runs.hypervolume import confirmed_volume, reference_point, volumes
from dynas.runs.load import Run


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that differ in nothing but their seed.

    Attributes:
        name: what sets the group apart from the others.
        runs: its runs.
        curves: per run, the hypervolume ``(n,)`` after each evaluation.
        confirmed: per run, that of its whole front after its members were measured again; None where they were not.
        p_value: of its hypervolumes against those of the best group, by Mann-Whitney with Holm's correction; NaN where
            one of the two has a single run, and for the best group.
        igd_plus: mean IGD+ to the joint front of all runs, in shares of its ranges; NaN where there is no such front.
        epsilon: mean additive epsilon to it, likewise.
    """

    name: str
    runs: tuple[Run, ...]
    curves: tuple[Values, ...]
    confirmed: tuple[float | None, ...] = ()
    p_value: float = float("nan")
    igd_plus: float = float("nan")
    epsilon: float = float("nan")

    @property
    def evaluations(self) -> int:
        """Number of evaluations that every run of the group has."""
        return min(len(curve) for curve in self.curves)

    @cached_property
    def common(self) -> Values:
        """Hypervolume ``(runs, evaluations)`` as far as every run goes."""
        return np.stack([curve[: self.evaluations] for curve in self.curves])

    @property
    def hypervolume(self) -> float:
        """Mean hypervolume after `evaluations` evaluations."""
        return float(self.common[:, -1].mean())

    @property
    def standard_error(self) -> float:
        """Standard error of `hypervolume` over the runs; NaN for a single run."""
        return float(standard_error(self.common)[-1])

    @property
    def confirmed_hypervolume(self) -> float:
        """Mean hypervolume of the confirmed fronts; NaN unless all runs are compared as a whole and were confirmed."""
        whole = [volume for volume in self.confirmed if volume is not None]
        cut = any(len(curve) > self.evaluations for curve in self.curves)
        return float("nan") if cut or len(whole) < len(self.runs) else float(np.mean(whole))

    @property
    def front_size(self) -> float:
        """Mean number of sub-networks on the measured front after `evaluations` evaluations."""
        return float(np.mean([_front_size(run, self.evaluations) for run in self.runs]))

    @property
    def measurement_seconds(self) -> float:
        """Mean wall time of all measurements of a run."""
        return float(np.mean([np.nansum(run.seconds) for run in self.runs]))

    @property
    def search_seconds(self) -> float:
        """Mean wall time of a run beside its measurements; NaN where a run does not tell."""
        return float(np.mean([search_seconds(run) for run in self.runs]))

    def evaluations_to(self, hypervolume: float) -> float:
        """Return the evaluations after which the mean hypervolume reaches a value; NaN where it never does."""
        reached = np.flatnonzero(self.common.mean(axis=0) >= hypervolume * (1 - 1e-12))
        return float(reached[0] + 1) if len(reached) else float("nan")

    def speed_up(self, rival: Group) -> float:
        """Return how many times fewer evaluations than the rival this group needs for the rival's final hypervolume.

        NaN where it never gets there.
        """
        return rival.evaluations_to(rival.hypervolume) / self.evaluations_to(rival.hypervolume)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Groups of comparable runs, from the largest hypervolume to the smallest.

    Attributes:
        objectives: what all runs measured.
        reference: the common reference point, in the objectives' units.
        worst: whether it is the worst value of each objective that was measured in any run.
        groups: the groups.
        notes: what a reader has to know beside the numbers, one sentence each.
    """

    objectives: tuple[Objective, ...]
    reference: tuple[float, ...]
    worst: bool
    groups: tuple[Group, ...]
    notes: tuple[str, ...]

    @property
    def runs(self) -> list[Run]:
        """All runs, group by group."""
        return [run for group in self.groups for run in group.runs]

    @property
    def original(self) -> Values | None:
        """Values ``(M,)`` of the original in the first run that has measured it; None where none has."""
        return next((run.values[run.original] for run in self.runs if run.original is not None), None)


def compare(runs: Sequence[Run], reference: Sequence[float] | None = None) -> Comparison:
    """Group runs by what differs between them and compute their hypervolumes up to one reference point.

    Runs that have measured nothing are left out, and beside searches those of ``dynas evaluate``; notes say so.

    Args:
        runs: the runs, with the same objectives in the same order.
        reference: the reference point in the objectives' units; by default the worst value measured of each.

    Raises:
        DynasError: nothing was measured at all, or runs cannot be compared: the message names them.
    """
    searches = [run for run in runs if is_search(run)] or list(runs)
    measured = [run for run in searches if run.measured.any()]
    if not measured:
        raise DynasError("nothing to report: none of the runs has measured a sub-network yet")
    check_comparable(measured, "--where")
    point = reference_point(measured) if reference is None else tuple(reference)
    members: dict[str, list[Run]] = {}
    for run, name in zip(measured, group_names(measured), strict=True):
        members.setdefault(name, []).append(run)
    groups = [
        Group(
            name,
            tuple(some),
            tuple(volumes(run, point) for run in some),
            tuple(confirmed_volume(run, point) for run in some),
        )
        for name, some in members.items()
    ]
    groups.sort(key=lambda group: -group.hypervolume)
    groups = with_indicators(groups)
    notes = [f"'{run.folder}' has measured nothing and is left out" for run in searches if not run.measured.any()]
    notes += [f"'{run.folder}' is no search and is left out" for run in runs if run not in searches]
    notes += [note for group in groups for note in _notes(group)]
    notes += [f"in '{run.folder}', {known}" for run in measured if (known := known_text(run))]
    if any(np.isnan(search_seconds(run)) for run in measured):
        notes.append("time beside measurements is not known for runs that are unfinished, resumed or from elsewhere")
    notes += dict.fromkeys(str(note) for run in measured for note in run.facts.get("notes") or ())
    return Comparison(measured[0].objectives, point, reference is None, tuple(groups), tuple(notes))


def with_indicators(groups: Sequence[Group]) -> list[Group]:
    """Return groups, the best first, with what is told of them beside the hypervolume."""
    fronts = [[known_front(run, group.evaluations) for run in group.runs] for group in groups]
    joint = reference_set([front for some in fronts for front in some])
    p_values = holm_p_values([group.common[:, -1] for group in groups])
    return [
        replace(group, p_value=p_value, igd_plus=igd_plus(some, joint), epsilon=epsilon(some, joint))
        for group, some, p_value in zip(groups, fronts, p_values, strict=True)
    ]


def known_front(run: Run, evaluations: int) -> Values:
    """Return the losses ``(n, M)`` of a run's front after so many evaluations, each measured once."""
    found = run.first.losses[:evaluations][run.first.feasible[:evaluations]]
    return found[non_dominated(found)]


def named(comparison: Comparison, names: Sequence[str]) -> Comparison:
    """Return a comparison whose groups are called as the user says.

    Args:
        comparison: the comparison.
        names: texts such as ``mode=linas:LINAS (ours)``, with several ``KEY=VALUE`` between commas where one is not
            enough: the group whose runs all have it is called so.

    Raises:
        DynasError: a text is not written so, or chooses no group, or several.
    """
    groups = list(comparison.groups)
    for text in names:
        wanted, colon, name = text.partition(":")
        pairs = [tuple(pair.split("=", 1)) for pair in wanted.split(",")]
        if not colon or not name.strip() or any(len(pair) != 2 for pair in pairs):
            raise DynasError(f"--name {text}: give KEY=VALUE:TEXT such as 'mode=linas:LINAS (ours)'")
        found = [
            place
            for place, group in enumerate(groups)
            if all(chosen_by(run).get(key) == value for run in group.runs for key, value in pairs)
        ]
        if len(found) != 1:
            there = ", ".join(groups[place].name for place in found or range(len(groups)))
            what = f"has {len(found)} groups: {there}; add what sets one apart" if found else f"has no group of {there}"
            raise DynasError(f"--name {text}: {wanted} {what}")
        groups[found[0]] = replace(groups[found[0]], name=printable(name.strip()))
    called = [group.name for group in groups]
    if twice := [name for name in called if called.count(name) > 1]:
        raise DynasError(f"--name: two groups are called '{twice[0]}'")
    return replace(comparison, groups=tuple(groups))


def standard_error(table: Values) -> Values:
    """Return the standard error ``(n,)`` of the mean over the rows of ``table`` ``(runs, n)``; NaN for one row."""
    if len(table) < 2:
        return np.full(table.shape[1], np.nan)
    return np.asarray(table.std(axis=0, ddof=1) / np.sqrt(len(table)))


def search_seconds(run: Run) -> float:
    """Return the wall time that a run spent beside its measurements; NaN where that is not known.

    A resumed run knows only the time since it went on, which is less than all measurements together.
    """
    whole, measuring = run.facts.get("seconds"), float(np.nansum(run.seconds))
    if not isinstance(whole, int | float) or whole < measuring:
        return float("nan")
    return whole - measuring


def _front_size(run: Run, evaluations: int) -> int:
    rows: NDArray[np.int64] = np.flatnonzero(run.feasible[:evaluations])
    return int(non_dominated(run.losses[rows]).sum())


def _notes(group: Group) -> list[str]:
    longest = max(len(curve) for curve in group.curves)
    unfinished = [run for run in group.runs if run.facts["status"] != "finished"]
    notes = [f"'{run.folder}' is {run.facts['status']}, with {len(run)} evaluations" for run in unfinished]
    seeds = [run.facts["seed"] for run in group.runs]
    if repeated := sorted({seed for seed in seeds if seeds.count(seed) > 1}):
        notes.append(f"{group.name} holds several runs with seed {', '.join(map(str, repeated))}: they may be copies")
    if longest > group.evaluations:
        notes.append(f"the runs of {group.name} are compared at {group.evaluations} evaluations, where the first ends")
    return notes
