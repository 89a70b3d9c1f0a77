"""What is derived from a run's results: hypervolume, front and their pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dynas.objectives import Values, losses
from dynas.pareto import hypervolume_curve, nadir
from dynas.report.load import Run, load_run
from dynas.store import RESULTS, number, write_csv


@dataclass(frozen=True)
class Summary:
    """The end of a run.

    Attributes:
        run: its results.
        hypervolume: of the measured front, in the product of the objectives' units.
        reference: the reference point, one value per objective in its unit.
        paths: files of the run folder, for the user to look at.
    """

    run: Run
    hypervolume: float
    reference: tuple[float, ...]
    paths: list[Path]


def write_outputs(folder: Path) -> Summary:
    """Write hypervolume.csv, front.csv and the pictures of a run folder; the reference is the worst value measured."""
    from dynas.report.plots import plot_curves, plot_front

    run = load_run(folder)
    point = nadir(losses(run.objectives, run.values))
    curve = hypervolume_curve(run.losses, point)
    reference = tuple(float(value) for value in losses(run.objectives, point[None])[0])
    write_curve(run, curve, reference)
    write_csv(folder / "front.csv", run.header, [run.rows[index] for index in run.front])
    paths = [folder / name for name in (RESULTS, "front.csv", "hypervolume.csv")]
    if len(curve):
        pictures = [folder / "front.png", folder / "hypervolume.png"]
        plot_front(run, pictures[0])
        plot_curves({"": curve[None]}, pictures[1], reference, run.objectives)
        paths += pictures
    return Summary(run, float(curve[-1]) if len(curve) else 0.0, reference, paths)


def write_curve(run: Run, curve: Values, reference: tuple[float, ...]) -> None:
    """Write hypervolume.csv: one row per evaluation."""
    header = ["evaluations", "hypervolume", *(f"reference {objective.column}" for objective in run.objectives)]
    point = [number(value) for value in reference]
    rows = [[index, number(float(volume)), *point] for index, volume in enumerate(curve, start=1)]
    write_csv(run.folder / "hypervolume.csv", header, rows)
