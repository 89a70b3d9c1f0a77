"""Claims that compare landscapes with one another, or look at what lies behind the hypervolumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dynas.core.objectives import Values, losses
from dynas.core.pareto import hypervolume, non_dominated
from dynas.paper.claims import Claim, Finding, of_ratio, of_truth
from dynas.paper.comparison import Compared
from dynas.paper.jobs import Job
from dynas.paper.normalised import as_many, box, group_of, volume
from dynas.paper.parts import Told
from dynas.paper.searches import Size
from dynas.report.compare import Comparison
from dynas.runs.load import Run, load_run
from dynas.system.files import from_json

Comparisons = Mapping[str, Comparison]  # by landscape


@dataclass(frozen=True)
class Across:
    """Claims about several landscapes together.

    Attributes:
        parts: what was searched on each.
        claims: what is judged.
        name: tells it apart from other parts of the figure.
    """

    parts: tuple[Compared, ...]
    claims: tuple[Claim[Comparisons], ...]
    name: str = ""

    def jobs(self, size: Size) -> list[Job]:
        """Return the runs of all parts."""
        return [job for part in self.parts for job in part.jobs(size)]

    def finish(self, size: Size, runs: Path, stem: Path) -> Told:
        """Judge the claims."""
        comparisons = {part.landscape.name: part.comparison(size, runs) for part in self.parts}
        return Told((), tuple(claim.judged(comparisons) for claim in self.claims))


def smaller_lead(subject: str, rival: str, where: Sequence[str], evaluations: int) -> Callable[[Comparisons], Finding]:
    """Judge that a search leads a rival by less on some landscapes than on all others."""

    def judge(comparisons: Comparisons) -> Finding:
        count = min(as_many(one, (subject, rival), evaluations) for one in comparisons.values())
        leads = {
            name: volume(one, subject, count)[0] / volume(one, rival, count)[0] - 1 for name, one in comparisons.items()
        }
        here = f"ahead of {rival} by {_listed(leads, '.1%')} after {count} evaluations"
        others = [lead for name, lead in leads.items() if name not in where]
        return of_truth(max(leads[name] for name in where) < min(others), here)

    return judge


def nearer(subject: str, where: Sequence[str], evaluations: int) -> Callable[[Comparisons], Finding]:
    """Judge that a search has a larger share of the box on some landscapes than on all others."""

    def judge(comparisons: Comparisons) -> Finding:
        count = min(as_many(one, (subject,), evaluations) for one in comparisons.values())
        shares = {name: volume(one, subject, count)[0] for name, one in comparisons.items()}
        here = f"{_listed(shares, '.3f')} of the box after {count} evaluations"
        others = [found for name, found in shares.items() if name not in where]
        return of_truth(min(shares[name] for name in where) > max(others), here)

    return judge


def dominated_by(subject: str, variables: Sequence[str], rest: Sequence[str]) -> Callable[[Comparison], Finding]:
    """Judge that some design variables explain more of the first objective's variance than others do.

    By the share of variance between the options of a gene (eta squared), added over the genes of a variable, among
    the random sub-networks of a search.
    """

    def judge(comparison: Comparison) -> Finding:
        found = [explained(run) for run in group_of(comparison, subject).runs]
        names = [*variables, *rest]
        share = {name: float(np.mean([one[name] for one in found])) for name in names}
        here = "share of variance explained: " + ", ".join(f"{name} {share[name]:.2f}" for name in names)
        mine, theirs = (sum(share[name] for name in some) for some in (variables, rest))
        return of_ratio(mine / theirs, 1, here)

    return judge


def explained(run: Run) -> dict[str, float]:
    """Return eta squared per design variable, added over its genes, for the first objective of a run."""
    architectures = [from_json(text) for text in run.architectures]
    quality = run.values[:, 0]
    return {
        name: sum(eta_squared(np.array(gene), quality) for gene in _genes([one[name] for one in architectures]))
        for name in architectures[0]
    }


def eta_squared(options: Values, values: Values) -> float:
    """Return the share of the variance of values ``(n,)`` that lies between the options ``(n,)``."""
    means = {option: values[options == option].mean() for option in np.unique(options)}
    between = np.array([means[option] for option in options])
    return float(between.var() / values.var())


def warm_front_is_worse(warm: str, goal: str) -> Callable[[Comparison], Finding]:
    """Judge that the front which a search began with has a smaller hypervolume than another search ends with."""

    def judge(comparison: Comparison) -> Finding:
        shares = [first_front(run, comparison) for run in group_of(comparison, warm).runs]
        mine, theirs = float(np.mean(shares)) / box(comparison), volume(comparison, goal)[0]
        here = f"{mine:.3f}, {goal} {theirs:.3f}: {1 - mine / theirs:.1%} lost"
        return of_truth(mine < theirs, here)

    return judge


def first_front(run: Run, comparison: Comparison) -> float:
    """Return the hypervolume of the front that a run began with, as measured in this run."""
    source = load_run(Path(run.facts["config"]["warm_start"]))
    keys = {source.keys[row] for row in source.front}
    found = run.losses[[key in keys for key in run.keys] & run.feasible]
    point = losses(comparison.objectives, np.array([comparison.reference]))[0]
    return hypervolume(found[non_dominated(found)], point)


def _genes(column: list[object]) -> list[tuple[object, ...]]:
    """Return the genes of a design variable: one, or one per place of its lists."""
    if not isinstance(column[0], list):
        return [tuple(column)]
    lists = [one for one in column if isinstance(one, list)]
    return list(zip(*lists, strict=True))


def _listed(values: Mapping[str, float], form: str) -> str:
    return ", ".join(f"{value:{form}} on {name}" for name, value in values.items())
