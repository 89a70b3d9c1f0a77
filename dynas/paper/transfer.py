"""A part that brings a front to another target, beside a search made for it (Cummings et al. 2022, Appendix G.3)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dynas.paper.claims import Claim, Finding, of_truth
from dynas.paper.jobs import RUNS, Job
from dynas.paper.markdown import bullets
from dynas.paper.parts import Told, draw
from dynas.paper.searches import Landscape, Search, Size
from dynas.runs.load import load_run
from dynas.runs.names import TRANSFER

if TYPE_CHECKING:
    from dynas.report.transfer import Transferred


@dataclass(frozen=True)
class Moved:
    """The front of a search on one landscape, measured on another one.

    Attributes:
        landscape: where the front is found.
        target: where it is measured; it differs in its hardware only.
        search: what is done on both.
        claims: what the paper claims.
        name: tells it apart from other parts of the figure.
        budget: evaluations of either search; there is one seed.
    """

    landscape: Landscape
    target: Landscape
    search: Search
    claims: tuple[Claim[Transferred], ...] = ()
    name: str = ""
    budget: int = 100

    def jobs(self, size: Size) -> list[Job]:
        """Return the search, the one for the target, and the transfer."""
        budget = size.budget or self.budget
        found, against = (self.search.job(landscape, budget, 0) for landscape in (self.landscape, self.target))
        hardware = [one for one in self.target.overrides if one.startswith(("hardware=", "hardware."))]
        arguments = (f"{RUNS}/{found.name}", *hardware, f'against="{RUNS}/{against.name}"')
        title = f"front of {self.landscape.name} on {self.target.name}, {budget} evaluations"
        moved = Job("transfer", arguments, title, TRANSFER, alone=self.target.timed, after=(found, against))
        return [found, against, moved]

    def finish(self, size: Size, runs: Path, stem: Path) -> Told:
        """Draw both fronts, copy the table, and say what is lost."""
        from dynas.report.plots.transfer import plot_transfer
        from dynas.report.transfer import order_sentence, timed_column, transferred, volume_sentence

        found, against, moved = (runs / job.name for job in self.jobs(size))
        source, other, run = load_run(found), load_run(against), load_run(moved)
        column, before = timed_column(run.objectives), timed_column(source.objectives)
        assert column is not None  # dynas transfer refuses others
        assert before is not None
        result = transferred(run, source, column, before, other)
        picture = draw(partial(plot_transfer, result), stem, f"{stem.name}: transfer")
        shutil.copyfile(moved / TRANSFER, stem.with_name(f"{stem.name}.csv"))
        about = (
            f"From: {self.landscape.about} To: {self.target.about} Both were searched by {self.search.label}, one seed."
        )
        sentences = [order_sentence(result), volume_sentence(result)]
        return Told((about, picture, bullets(sentences)), tuple(claim.judged(result) for claim in self.claims))


def loses(result: Transferred) -> Finding:
    """Judge that a front has a smaller hypervolume than one that was searched for the target."""
    from dynas.report.transfer import volumes_on_target

    (mine, theirs), _ = volumes_on_target(result)
    lost = 1 - mine / theirs
    text = f"{lost:.1%} of the hypervolume lost" if lost > 0 else f"{-lost:.1%} of the hypervolume gained"
    return of_truth(lost > 0, f"{text}, Kendall tau of the latencies {result.tau:.2f}")
