"""Which pictures fit given runs: those of Cummings et al. 2022, for one's own searches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from dynas.report.comparable import described_objectives
from dynas.report.compare import Comparison
from dynas.report.plots.attainment import has_surfaces, plot_attainment
from dynas.report.plots.fronts import plot_costs, plot_fronts, plot_progress
from dynas.report.plots.predictors import plot_predictors
from dynas.report.plots.run import plot_hypervolume
from dynas.report.quality import qualities
from dynas.report.series import by_group, by_precision, by_range

ENDINGS = (".svg", ".pdf", ".png")
Draw = Callable[[Path], None]


def write_pictures(comparison: Comparison, folder: Path) -> list[Path]:
    """Draw every picture that applies, as vectors and as pixels, and return the files.

    | file | what | figures of the paper |
    | --- | --- | --- |
    | hypervolume | mean and standard error over evaluations | 4, 5, 10, 11, 15 |
    | fronts | the front of each group | 9, 16 |
    | attainment | what half of a group's runs attain, between its best and its worst | |
    | progress | what each group measured, and when | 3 |
    | predictors | MAPE and Kendall tau over training examples | 6, 7 |
    | ranges | one-shot searches per range beside the others | 9 |
    | costs | one cost over another, with their correlation | 14 |
    | precisions | FP32 and INT8 within a search over both | 15, 16 |

    Raises:
        OSError: the folder cannot be written.
        DynasError: a run's predictors.csv is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in pictures(comparison).items():
        for ending in ENDINGS:
            draw(folder / f"{name}{ending}")
            written.append(folder / f"{name}{ending}")
    return written


def pictures(comparison: Comparison) -> dict[str, Draw]:
    """Return what draws each picture that applies, by its name."""
    objectives = described_objectives(comparison.runs[0])
    comparison = replace(comparison, objectives=objectives)
    curves = {group.name: group.common for group in comparison.groups}
    found: dict[str, Draw] = {"hypervolume": partial(plot_hypervolume, curves, objectives, comparison.reference)}
    if len(objectives) > 1:
        found["fronts"] = partial(plot_fronts, by_group(comparison), objectives, original=comparison.original)
        if len(objectives) == 2 and any(map(has_surfaces, comparison.groups)):
            found["attainment"] = partial(plot_attainment, comparison)
        found["progress"] = partial(plot_progress, comparison)
        for name, series in (("ranges", by_range(comparison)), ("precisions", by_precision(comparison))):
            if len(series) > 1:
                found[name] = partial(plot_fronts, series, objectives, original=comparison.original)
    if sum(objective.direction == "min" for objective in objectives) > 1:
        found["costs"] = partial(plot_costs, by_group(comparison), objectives)
    if quality := qualities(comparison):
        predicted = [one for one in objectives if any(row.objective == one.name for row in quality)]
        found["predictors"] = partial(plot_predictors, quality, predicted)
    return found
