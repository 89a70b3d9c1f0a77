"""Sentences about compared searches, with numbers from the runs only."""

from __future__ import annotations

import math

from dynas.errors import DynasError
from dynas.report.compare import Comparison, Group


def sooner(subject: str, rival: str, comparison: Comparison) -> str:
    """Say after how many evaluations one search has what another one ends with."""
    ours, theirs = _group(subject, comparison), _group(rival, comparison)
    needed, itself = ours.evaluations_to(theirs.hypervolume), theirs.evaluations_to(theirs.hypervolume)
    if not math.isfinite(needed):
        share = ours.hypervolume / theirs.hypervolume
        return f"{subject} ends with {share:.1%} of the hypervolume of {rival} ({_size(theirs)})"
    how_many = f"{itself / needed:.1f} times fewer than the {itself:,.0f} that it takes {rival} itself"
    if needed > itself:
        how_many = f"{needed / itself:.1f} times more than the {itself:,.0f} that it takes {rival} itself"
    return f"{subject} has the final hypervolume of {rival} ({_size(theirs)}) after {_evaluations(needed)}, {how_many}"


def share(subject: str, rival: str, comparison: Comparison) -> str:
    """Say what one search ends with as a share of what another one ends with, and how far chance reaches."""
    ours, theirs = _group(subject, comparison), _group(rival, comparison)
    error = math.hypot(ours.standard_error, theirs.standard_error)
    text = f"{subject} ends with {ours.hypervolume / theirs.hypervolume:.1%} of the hypervolume of {rival}"
    if not math.isfinite(error):
        return text
    return f"{text}, a difference of {abs(ours.hypervolume - theirs.hypervolume) / error:.1f} standard errors"


def ahead(comparison: Comparison) -> str:
    """Say which search ends with most."""
    first, second = comparison.groups[:2]
    more = first.hypervolume / second.hypervolume - 1
    return f"{first.name} ends with the largest hypervolume, {more:.1%} more than {second.name}"


def _size(group: Group) -> str:
    return _evaluations(group.evaluations)


def _evaluations(number: float) -> str:
    return f"{number:,.0f} evaluation{'s' * (number != 1)}"


def _group(name: str, comparison: Comparison) -> Group:
    for group in comparison.groups:
        if group.name == name:
            return group
    raise DynasError(f"no search is called '{name}' here")
