"""A part that brings a front to another target, beside a search made for it (Cummings et al. 2022, Appendix G.3)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dynas.paper.jobs import RUNS, Job
from dynas.paper.parts import bullets, draw
from dynas.paper.searches import Landscape, Search, Size
from dynas.runs.load import load_run
from dynas.runs.names import TRANSFER


@dataclass(frozen=True)
class Moved:
    """The front of a search on one landscape, measured on another one.

    Attributes:
        landscape: where the front is found.
        target: where it is measured; it differs in its hardware only.
        search: what is done on both.
        name: tells it apart from other parts of the figure.
        budget: evaluations of either search; there is one seed.
    """

    landscape: Landscape
    target: Landscape
    search: Search
    name: str = ""
    budget: int = 60

    def jobs(self, size: Size) -> list[Job]:
        """Return the search, the one for the target, and the transfer."""
        budget = size.budget or self.budget
        found, against = (self.search.job(landscape, budget, 0) for landscape in (self.landscape, self.target))
        hardware = [one for one in self.target.overrides if one.startswith(("hardware=", "hardware."))]
        arguments = (f"{RUNS}/{found.name}", *hardware, f'against="{RUNS}/{against.name}"')
        title = f"front of {self.landscape.name} on {self.target.name}, {budget} evaluations"
        return [found, against, Job("transfer", arguments, title, TRANSFER)]

    def finish(self, size: Size, runs: Path, stem: Path) -> list[str]:
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
        return [about, picture, bullets(sentences)]
