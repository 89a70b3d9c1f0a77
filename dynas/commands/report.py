"""``dynas report``: compares runs by hypervolume, averaged over seeds, with one reference point for all."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from dynas.errors import DynasError
from dynas.report.compare import Comparison, compare
from dynas.report.load import find_runs, load_run
from dynas.report.normalise import normalise
from dynas.report.tables import (
    WIDTH,
    comparison_csv,
    comparison_markdown,
    comparison_records,
    comparison_table,
    front_table,
    point_text,
)

PICTURE = "hypervolume_comparison.png"
DESCRIPTION = (
    "Compares runs by hypervolume. Runs that differ in nothing but their seed are averaged; the reference point is "
    "the worst value of each objective measured in any of the runs. 'to reach #1' is the number of evaluations, "
    "averaged over seeds, after which a row reaches the final hypervolume of row 1; a dash: some seed never does."
)


def main(argv: list[str]) -> int:
    """Run ``dynas report`` and return the exit status.

    Raises:
        DynasError: there is no run, the runs cannot be compared, or the picture cannot be written.
    """
    parser = argparse.ArgumentParser(prog="dynas report", description=DESCRIPTION)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="run folders, or folders of runs")
    parser.add_argument("--out", type=Path, metavar="FILE.png", help=f"the picture; PATH/{PICTURE} by default")
    parser.add_argument("--format", choices=("table", "csv", "markdown", "json"), default="table", help="of the table")
    parser.add_argument(
        "--normalise", action="append", default=[], metavar="OBJECTIVE[=LOW,HIGH]",
        help="scale an objective to 0 at its least and 1 at its largest value in any run, or between two limits",
    )  # fmt: skip
    given = parser.parse_args(argv)

    runs = [load_run(folder) for folder in find_runs(given.paths)]
    scales = []
    for wanted in given.normalise:
        runs, scale = normalise(runs, wanted)
        scales.append(scale)
    comparison = compare(runs)
    picture = given.out or given.paths[0] / PICTURE
    _draw(comparison, picture)
    if given.format == "csv":
        print(comparison_csv(comparison), end="")
    elif given.format == "json":
        print(json.dumps(comparison_records(comparison), indent=2, ensure_ascii=False))
    elif given.format == "markdown":
        print(comparison_markdown(comparison), end="\n\n")
    else:
        console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
        if len(runs) == 1:
            console.print(front_table(runs[0]))
        console.print(comparison_table(comparison))
    words = sys.stdout if given.format in ("table", "markdown") else sys.stderr
    point = point_text(comparison.objectives, comparison.reference)
    print(f"reference point: {point} (the worst measured in any of the runs)", file=words)
    for scale in scales:
        print(scale, file=words)
    for note in comparison.notes:
        print(f"note: {note}", file=words)
    print(f"picture: {picture}", file=words)
    return 0


def _draw(comparison: Comparison, picture: Path) -> None:
    from dynas.report.plots import plot_hypervolume

    curves = {group.name: group.common for group in comparison.groups}
    try:
        plot_hypervolume(curves, comparison.objectives, comparison.reference, picture)
    except OSError as error:
        raise DynasError(f"cannot write the picture '{picture}': {error.strerror}; choose another by --out") from error
