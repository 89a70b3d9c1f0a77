"""A part that compares predictors on the measured sub-networks of tables (Cummings et al. 2022, Appendix C)."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from dynas.core.objectives import Objective, Values
from dynas.data.tabulated import find
from dynas.paper.claims import Claim, Finding, of_ratio, of_truth
from dynas.paper.jobs import TABLES, Job
from dynas.paper.markdown import markdown
from dynas.paper.parts import Told, composed, draw
from dynas.paper.searches import Landscape, Size
from dynas.runs.names import PREDICTORS, RUN
from dynas.system.files import number, write_csv

if TYPE_CHECKING:
    from dynas.predictors.study import Average

SIZES, TEST = (100, 250, 500, 1000), 500
TRIALS = {("ridge", "svr_rbf", "stacked", "gp"): 100, ("mlp",): 10}  # an MLP takes ten times as long as a ridge
STACKED = "stacked"
PAPER_MAPE, PAPER_TAU = 0.91, 0.8348  # at most, at least
Averages = dict[str, list["Average"]]  # by landscape
Judge = Callable[["Studies"], Finding]


@dataclass(frozen=True, eq=False)
class Studies:
    """What predictors of one objective did on each landscape.

    Attributes:
        averages: by landscape, one per predictor and number of examples.
        points: by landscape, measured and predicted values ``(2, n)`` of the test of the first trial, by the stacked
            predictor trained on most examples.
    """

    averages: Averages
    points: dict[str, Values]

    def of(self, landscape: str, predictor: str, size: int) -> Average:
        """Return the errors of a predictor."""
        return next(one for one in self.averages[landscape] if (one.predictor, one.size) == (predictor, size))


@dataclass(frozen=True)
class Studied:
    """Predictors of the quality, or of the latency, of tables' sub-networks.

    Attributes:
        landscapes: those with a table.
        objective: which of a table's two is predicted.
        scatter: whether predicted over measured values are drawn beneath the errors.
        claims: what the paper claims.
        name: tells it apart from other parts of the figure.
    """

    landscapes: tuple[Landscape, ...]
    objective: Literal["quality", "latency"]
    scatter: bool
    claims: tuple[Claim[Studies], ...]
    name: str = ""

    def jobs(self, size: Size) -> list[Job]:
        """Return the studies of all landscapes, each of both objectives."""
        return [_study(landscape, names, trials) for landscape in self.landscapes for names, trials in TRIALS.items()]

    def finish(self, size: Size, runs: Path, stem: Path) -> Told:
        """Draw, write the errors, and judge the claims."""
        from dynas.paper.plots import plot_studies

        averages = {landscape.name: self._averages(landscape, runs) for landscape in self.landscapes}
        points = {landscape.name: predicted(landscape, self.objective) for landscape in self.landscapes}
        studies = Studies(averages, points)
        shown = points if self.scatter else {}
        picture = draw(partial(plot_studies, averages, shown), stem, f"{stem.name}: predictors")
        header = ["supernet", "objective", "predictor", "examples", "trials", "MAPE [%]", "Kendall tau"]
        lines = [
            (name, one.objective, one.predictor, one.size, one.trials, one.mape, one.kendall_tau)
            for name, some in averages.items()
            for one in some
        ]
        write_csv(stem.with_name(f"{stem.name}.csv"), header, lines)
        if self.scatter:
            write_points(stem.with_name(f"{stem.name}_points.csv"), points)
        rows = [
            [f"{name}, {predictor}", *(f"{studies.of(name, predictor, size).mape:.2f}" for size in SIZES),
             f"{studies.of(name, predictor, SIZES[-1]).kendall_tau:.3f}"]
            for name in averages
            for predictor in dict.fromkeys(one.predictor for one in averages[name])
        ]  # fmt: skip
        title = ["supernet, predictor", *(f"MAPE [%], {size}" for size in SIZES), f"tau, {SIZES[-1]}"]
        about = "\n".join(f"- {landscape.name}: {landscape.about}" for landscape in self.landscapes)
        return Told((about, picture, markdown(title, rows)), tuple(claim.judged(studies) for claim in self.claims))

    def _averages(self, landscape: Landscape, runs: Path) -> list[Average]:
        found = [read_averages(runs / _study(landscape, *study).name / PREDICTORS) for study in TRIALS.items()]
        latency = self.objective == "latency"
        return [one for some in found for one in some if (one.objective == "latency") == latency]


def _study(landscape: Landscape, predictors: tuple[str, ...], trials: int) -> Job:
    arguments = (
        f"supernet={landscape.table}",
        f'results="{TABLES}/{landscape.table}"',
        f"sizes=[{','.join(map(str, SIZES))}]",
        f"test={TEST}",
        f"trials={trials}",
        f"predictors=[{','.join(predictors)}]",
    )
    title = f"{landscape.name}, predictors {', '.join(predictors)}, {trials} trials"
    return Job("predictors", arguments, title, PREDICTORS, alone=True)  # it takes all processors


def predicted(landscape: Landscape, kind: str) -> Values:
    """Return measured and predicted values ``(2, n)`` of a table's sub-networks that the predictor did not see."""
    from dynas.compose.parts import build_supernet
    from dynas.predictors.fitted import fit_predictor
    from dynas.predictors.named import predictor as named
    from dynas.runs.examples import read_examples
    from dynas.runs.load import read_objectives
    from dynas.runs.record import read_run

    folder = find(landscape.table)
    objectives = read_objectives(folder / RUN, read_run(folder))
    objective: Objective = next(one for one in objectives if (one.name == "latency") == (kind == "latency"))
    space = build_supernet(composed(f"supernet={landscape.table}")).space
    genotypes, values = read_examples(folder, space, [objective])
    order = np.random.default_rng([0, 1]).permutation(len(genotypes))  # the split of a study's first trial
    test, train = order[:TEST], order[TEST : TEST + SIZES[-1]]
    features = space.one_hot(genotypes)
    predictor = fit_predictor(objective, named(STACKED), features[train], values[train, 0])
    return np.stack([values[test, 0], predictor.predict(features[test])])


def write_points(path: Path, points: dict[str, Values]) -> None:
    """Write measured and predicted values."""
    rows = [[name, *map(number, pair)] for name, both in points.items() for pair in both.T.tolist()]
    write_csv(path, ["supernet", "measured", "predicted"], rows)


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


def precise(studies: Studies) -> Finding:
    """Judge that the stacked predictor's MAPE is at most the paper's everywhere."""
    found = {name: studies.of(name, STACKED, SIZES[-1]).mape for name in studies.averages}
    return of_truth(max(found.values()) <= PAPER_MAPE, _listed(found, ".2f", " %"))


def ordered(studies: Studies) -> Finding:
    """Judge that the stacked predictor's Kendall tau is at least the paper's everywhere."""
    found = {name: studies.of(name, STACKED, SIZES[-1]).kendall_tau for name in studies.averages}
    return of_truth(min(found.values()) >= PAPER_TAU, _listed(found, ".3f"))


def few_do(studies: Studies) -> Finding:
    """Judge that a tenth of the examples costs less than twice the error."""
    found = {
        name: studies.of(name, STACKED, SIZES[0]).mape / studies.of(name, STACKED, SIZES[-1]).mape
        for name in studies.averages
    }
    here = f"MAPE after {SIZES[0]} examples over that after {SIZES[-1]:,}: {_listed(found, '.2f')}"
    return of_ratio(2 / max(found.values()), 1, here)


def simpler_is_better(studies: Studies) -> Finding:
    """Judge that ridge, SVR and stacked have a smaller error than an MLP after few examples."""
    found = {
        name: max(studies.of(name, one, SIZES[0]).mape for one in ("ridge", "svr_rbf", STACKED))
        / studies.of(name, "mlp", SIZES[0]).mape
        for name in studies.averages
    }
    here = f"the worst of them over the MLP after {SIZES[0]} examples: {_listed(found, '.2f')}"
    return of_truth(max(found.values()) <= 1, here)


def _listed(values: dict[str, float], form: str, unit: str = "") -> str:
    return ", ".join(f"{name} {value:{form}}{unit}" for name, value in values.items())
