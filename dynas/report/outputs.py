"""What is derived from a run's results: its hypervolume, its front, and their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.errors import DynasError
from dynas.report.comparable import described_objectives
from dynas.report.groups import is_search
from dynas.runs.hypervolume import confirmed_volume, front_volume, reference_point, volumes
from dynas.runs.load import Run, load_run
from dynas.runs.names import (
    CONFIRMED,
    FRONT,
    FRONT_PICTURE,
    HYPERVOLUME,
    HYPERVOLUME_PICTURE,
    RESULTS,
    TUNED,
    TUNED_FRONT,
)
from dynas.runs.tuned import Tuned, read_tuned
from dynas.system.files import number, write_csv


@dataclass(frozen=True, eq=False)
class Summary:
    """The outcome of a run.

    Attributes:
        run: its results.
        hypervolume: of the front as the search knew it, in the product of the objectives' units.
        confirmed: of the front after its members were measured again; None where they were not.
        tuned: what fine-tuning made of its members; None where they were not.
        tuned_volume: hypervolume of the front that they make then.
        reference: the reference point, one value per objective in its unit; NaN where nothing was measured.
        paths: the results and the files that were derived from them.
    """

    run: Run
    hypervolume: float
    confirmed: float | None
    tuned: Tuned | None
    tuned_volume: float | None
    reference: tuple[float, ...]
    paths: tuple[Path, ...]

    @property
    def front(self) -> NDArray[np.int64]:
        """Rows of the measured front, from the best to the worst of the first objective."""
        return self.run.front


def write_outputs(folder: Path, reference: Sequence[float] | None = None) -> Summary:
    """Write hypervolume.csv, front.csv and their pictures into a run folder.

    Where nothing was measured, the tables have no rows and no pictures are drawn; a hypervolume over evaluations is
    drawn of searches only, as it says nothing of sub-networks that were given.

    Args:
        folder: the run folder.
        reference: the reference point in the objectives' units; by default the worst value measured of each.

    Raises:
        DynasError: the run cannot be read, the reference does not fit it, or a file cannot be written.
    """
    run = load_run(folder)
    if reference is not None and len(reference) != len(run.objectives):
        raise DynasError(f"the reference point has {len(reference)} values for {len(run.objectives)} objectives")
    point = reference_point([run]) if reference is None else tuple(float(value) for value in reference)
    curve = volumes(run, point) if run.measured.any() else np.zeros(0)
    try:
        _write_curve(run, curve, point)
        write_csv(folder / FRONT, *_front_lines(run))
        if tuned := read_tuned(run):
            write_csv(folder / TUNED_FRONT, *_tuned_lines(tuned))
        pictures = _draw(run, curve, point) if len(curve) else []
    except OSError as error:
        raise DynasError(f"cannot write to '{folder}': {error.strerror}") from error
    again = [folder / CONFIRMED] if run.confirmed else []
    tables = [folder / TUNED, folder / TUNED_FRONT] if tuned else []
    paths = (folder / RESULTS, *again, *tables, folder / FRONT, folder / HYPERVOLUME, *pictures)
    volume = float(curve[-1]) if len(curve) else 0.0
    after = front_volume(tuned.run, point) if tuned else None
    return Summary(run, volume, confirmed_volume(run, point), tuned, after, point, paths)


def _front_lines(run: Run) -> tuple[list[str], list[list[object]]]:
    """Return columns and rows of front.csv: those of results.csv, then what was known before confirming."""
    again = [run.objectives[column] for column in run.confirmed]
    header = [*run.header, *(f"{one.name} first [{one.unit}]" for one in again)]
    lines: list[list[object]] = [list(run.rows[row]) for row in run.front]
    if run.again is not None:
        header.append("confirmations [runs]")
        for line, row in zip(lines, run.front, strict=True):
            line += [*map(number, run.first.values[row, list(run.confirmed)]), int(run.again[row])]
    return header, lines


def _tuned_lines(tuned: Tuned) -> tuple[list[str], list[list[object]]]:
    """Return columns and rows of tuned_front.csv: those of results.csv, then what the same were as searched."""
    again = [tuned.run.objectives[column] for column in tuned.columns]
    header = [*tuned.run.header, *(f"{one.name} searched [{one.unit}]" for one in again)]
    return header, [
        [*tuned.run.rows[row], *map(number, tuned.before[row, list(tuned.columns)])] for row in tuned.run.front
    ]


def _write_curve(run: Run, curve: Values, reference: Sequence[float]) -> None:
    header = ["evaluations", "hypervolume", *(f"reference {objective.column}" for objective in run.objectives)]
    point = [number(value) for value in reference]
    rows = [[evaluations, number(float(volume)), *point] for evaluations, volume in enumerate(curve, start=1)]
    write_csv(run.folder / HYPERVOLUME, header, rows)


def _draw(run: Run, curve: Values, reference: Sequence[float]) -> list[Path]:
    from dynas.report.plots.run import plot_front, plot_hypervolume

    described = replace(run, objectives=described_objectives(run))
    plot_front(described, run.folder / FRONT_PICTURE)
    if not is_search(run):
        return [run.folder / FRONT_PICTURE]
    plot_hypervolume({"": curve[None]}, described.objectives, reference, run.folder / HYPERVOLUME_PICTURE)
    return [run.folder / FRONT_PICTURE, run.folder / HYPERVOLUME_PICTURE]
