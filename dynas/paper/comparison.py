"""A part that compares searches on one landscape: curves, fronts, progress, or how soon they get somewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dynas.paper.claims import Claim
from dynas.paper.jobs import Job
from dynas.paper.markdown import bullets
from dynas.paper.parts import Told, draw
from dynas.paper.searches import Landscape, Search, Size
from dynas.paper.tables import Tabulate, summary
from dynas.report.compare import Comparison, compare
from dynas.runs.load import load_run
from dynas.system.files import number, write_csv


@dataclass(frozen=True)
class Compared:
    """Searches on one landscape with one reference point for all.

    Attributes:
        landscape: what they search.
        searches: all of them.
        pictures: names of `dynas.report.plots.pictures.pictures`.
        claims: what the paper claims of them.
        name: tells it apart from other parts of the figure.
        seeds, budget: its own size.
        tabulate: what makes its table.
    """

    landscape: Landscape
    searches: tuple[Search, ...]
    pictures: tuple[str, ...] = ()
    claims: tuple[Claim[Comparison], ...] = ()
    name: str = ""
    seeds: int = 5
    budget: int = 500
    tabulate: Tabulate = summary

    def jobs(self, size: Size) -> list[Job]:
        """Return every search with every seed."""
        return list(self._labels(size))

    def comparison(self, size: Size, runs: Path) -> Comparison:
        """Return the searches, once all have been made."""
        labels = {runs / job.name: label for job, label in self._labels(size).items()}
        return labelled(compare([load_run(folder) for folder in labels]), labels)

    def finish(self, size: Size, runs: Path, stem: Path) -> Told:
        """Draw, write the table and all evaluations, and judge the claims."""
        from dynas.report.plots.pictures import pictures

        comparison = self.comparison(size, runs)
        write_evaluations(comparison, stem.with_name(f"{stem.name}_evaluations.csv"))
        text, csv = self.tabulate(comparison)
        stem.with_name(f"{stem.name}.csv").write_text(csv, encoding="utf-8")
        available = pictures(comparison)
        several = len(self.pictures) > 1
        shown = [
            draw(available[name], stem.with_name(f"{stem.name}_{name}") if several else stem, f"{stem.name}: {name}")
            for name in self.pictures
        ]
        known = {note for run in comparison.runs for note in run.facts.get("notes", ())}  # the landscape says it
        notes = [note for note in comparison.notes if note not in known]
        paragraphs = (self.landscape.about, *shown, text, *([bullets(notes)] if notes else []))
        return Told(paragraphs, tuple(claim.judged(comparison) for claim in self.claims))

    def _labels(self, size: Size) -> dict[Job, str]:
        seeds, budget = size.seeds or self.seeds, size.budget or self.budget
        return {
            search.job(self.landscape, budget, seed): search.label for search in self.searches for seed in range(seeds)
        }


def labelled(comparison: Comparison, labels: Mapping[Path, str]) -> Comparison:
    """Return a comparison whose groups are named after their searches rather than by what differs between them."""
    groups = tuple(replace(group, name=labels[group.runs[0].folder]) for group in comparison.groups)
    return replace(comparison, groups=groups)


def write_evaluations(comparison: Comparison, path: Path) -> None:
    """Write every evaluation of every run, with the hypervolume after it: what the pictures are drawn from."""
    header = ["search", "seed", "evaluation", *(one.column for one in comparison.objectives), "hypervolume"]
    rows: list[Sequence[object]] = [
        [group.name, run.facts["seed"], index + 1, *map(number, run.values[index]), number(float(curve[index]))]
        for group in comparison.groups
        for run, curve in zip(group.runs, group.curves, strict=True)
        for index in range(len(run))
    ]
    write_csv(path, header, rows)
