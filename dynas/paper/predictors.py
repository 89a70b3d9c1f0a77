"""A part that compares predictors on random sub-networks (Cummings et al. 2022, Appendix C)."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dynas.paper.jobs import RUNS, Job
from dynas.paper.parts import bullets, draw, markdown
from dynas.paper.searches import Landscape, Search, Size
from dynas.runs.load import load_run
from dynas.runs.names import PREDICTORS

if TYPE_CHECKING:
    from dynas.predictors.study import Average

STEPS, LEAST_EXAMPLES = 5, 5
PAPER_MAPE, PAPER_TAU = 0.91, 0.8348  # at most, at least: what the paper says of its predictors


@dataclass(frozen=True)
class Studied:
    """Predictors of what is measured on one landscape.

    A third of the random sub-networks is for the test in every trial, and up to two thirds are for training.

    Attributes:
        landscape: what is predicted.
        source: the random search whose runs give the examples.
        name: tells it apart from other parts of the figure.
        seeds, budget: number and size of these runs.
        trials: random splits.
        predictors: options of the config group.
    """

    landscape: Landscape
    source: Search
    name: str = ""
    seeds: int = 1
    budget: int = 1500
    trials: int = 5
    predictors: tuple[str, ...] = ("ridge", "svr_linear", "svr_rbf", "stacked", "mlp", "gp")

    def jobs(self, size: Size) -> list[Job]:
        """Return the random searches, then the study."""
        sources = self._sources(size)
        return [*sources, self._study(sources, size)]

    def finish(self, size: Size, runs: Path, stem: Path) -> list[str]:
        """Draw, write the errors, and compare the best ones with what the paper says."""
        from dynas.report.plots.predictors import plot_predictors

        sources = self._sources(size)
        folder = runs / self._study(sources, size).name
        averages = read_averages(folder / PREDICTORS)
        measured = {one.objective for one in averages}
        run = load_run(runs / sources[0].name)
        objectives = [one for one in run.objectives if one.name in measured]
        picture = draw(partial(plot_predictors, averages, objectives), stem, f"{stem.name}: predictors")
        shutil.copyfile(folder / PREDICTORS, stem.with_name(f"{stem.name}.csv"))
        largest = max(one.size for one in averages)
        last = [one for one in averages if one.size == largest]
        rows = [
            [f"{one.objective}, {one.predictor}", f"{one.mape:.3f}", f"{one.kendall_tau:.4f}"]
            for one in sorted(last, key=lambda one: (one.objective, one.mape))
        ]
        title = f"Trained on {largest} examples, mean of {averages[0].trials} splits:"
        table = markdown(["", "MAPE [%]", "Kendall tau"], rows)
        sentences = [
            says for name in dict.fromkeys(one.objective for one in averages) for says in _says(averages, name)
        ]
        return [self.landscape.about, picture, title, table, bullets(sentences)]

    def _sources(self, size: Size) -> list[Job]:
        budget = size.budget or self.budget
        return [self.source.job(self.landscape, budget, seed) for seed in range(size.seeds or self.seeds)]

    def _study(self, sources: list[Job], size: Size) -> Job:
        total = len(sources) * (size.budget or self.budget)
        test = total // 3
        sizes = sorted({max(LEAST_EXAMPLES, (total - test) * step // STEPS) for step in range(1, STEPS + 1)})
        arguments = (
            *self.landscape.overrides,
            f"results=[{','.join(quoted_folder(job) for job in sources)}]",
            f"sizes=[{','.join(map(str, sizes))}]",
            f"test={test}",
            f"trials={self.trials}",
            f"predictors=[{','.join(self.predictors)}]",
        )
        return Job("predictors", arguments, f"{self.landscape.name}, predictors on {total} examples", PREDICTORS)


def quoted_folder(job: Job) -> str:
    """Return the folder of a job as one value of an override."""
    return f'"{RUNS}/{job.name}"'


def read_averages(path: Path) -> list[Average]:
    """Read back what ``dynas predictors`` wrote."""
    from dynas.predictors.study import Average

    names = ("mape [%]", "mape standard error [%]", "kendall_tau", "kendall_tau standard error")
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Average(
                row["objective"], row["predictor"], int(row["examples"]), int(row["trials"]),
                *(float(row[name] or "nan") for name in names),
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def _says(averages: Sequence[Average], objective: str) -> list[str]:
    """Say from how many examples on which predictors are as good as the paper says of its own."""
    rows = [one for one in averages if one.objective == objective]
    precise, ordered = ([one for one in rows if good(one)] for good in (_is_precise, _is_ordered))
    names = list(dict.fromkeys(one.predictor for one in rows))
    return [
        f"{objective}: a MAPE of {PAPER_MAPE} % or less {_from(precise, names)}",
        f"{objective}: a Kendall tau of {PAPER_TAU} or more {_from(ordered, names)}",
    ]


def _is_precise(one: Average) -> bool:
    return one.mape <= PAPER_MAPE


def _is_ordered(one: Average) -> bool:
    return one.kendall_tau >= PAPER_TAU


def _from(good: Sequence[Average], names: Sequence[str]) -> str:
    """Return from which size on each of the predictors ``names`` is good, in words."""
    first = {name: min((one.size for one in good if one.predictor == name), default=0) for name in names}
    if not any(first.values()):
        return "by none of them at any size"
    texts = {size: f"from {size} examples on" if size else "never" for size in sorted(set(first.values()))}
    whose = {size: ", ".join(name for name in names if first[name] == size) for size in texts}
    return "; ".join(f"{text} by {whose[size] if len(texts) > 1 else 'all'}" for size, text in texts.items())
