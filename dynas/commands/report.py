"""``dynas report``: compares runs by hypervolume."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

from rich.console import Console

from dynas.errors import DynasError
from dynas.report.compare import compare, comparison_rows
from dynas.report.load import find_runs
from dynas.report.tables import comparison_table, front_table


def main(arguments: list[str]) -> int:
    """Run ``dynas report`` and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="dynas report",
        description="Compares runs: groups them by what differs, averages over seeds, one reference point for all. "
        "Hypervolume is in the product of the objectives' units; 'to reach' counts evaluations of the mean curve.",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="run folders, sweeps or all of outputs")
    parser.add_argument("--out", type=Path, metavar="PNG", help="where the hypervolume picture goes")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table", help="of the comparison")
    given = parser.parse_args(arguments)

    runs = find_runs(given.paths)
    comparison = compare(runs)
    rows = comparison_rows(comparison)
    if given.format == "csv":
        writer = csv.DictWriter(sys.stdout, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    elif given.format == "json":
        print(json.dumps(rows, indent=2))
    else:
        console = Console()
        if len(runs) == 1:
            console.print(front_table(runs[0]))
        console.print(comparison_table(list(rows)))
        objectives = runs[0].objectives
        point = [
            f"{one.name} {value:.5g} {one.unit}" for one, value in zip(objectives, comparison.reference, strict=True)
        ]
        console.print(f"reference point: {', '.join(point)} (the worst value measured in any of these runs)")
    picture = given.out or given.paths[0] / "comparison.png"
    draw(comparison.reference, {group.name: group.curves for group in comparison.groups}, picture, runs[0].objectives)
    print(picture, file=sys.stderr if given.format != "table" else sys.stdout)
    return 0


def draw(reference: tuple[float, ...], curves: dict, picture: Path, objectives: tuple) -> None:  # type: ignore[type-arg]
    """Write the hypervolume picture.

    Raises:
        DynasError: it cannot be written there.
    """
    from dynas.report.plots import plot_curves

    try:
        plot_curves(curves, picture, reference, objectives)
    except (OSError, ValueError) as error:
        raise DynasError(f"cannot write the picture '{picture}': {error}") from error
