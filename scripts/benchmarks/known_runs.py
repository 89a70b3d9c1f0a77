"""How soon second searches reach the front of a first one, as it is on their device.

    dynas search supernet=mbv3 budget=60 confirm=0 hydra.run.dir=first
    dynas transfer first hardware=onnxruntime hydra.run.dir=moved
    dynas search supernet=mbv3 budget=60 confirm=0 hardware=onnxruntime known=null hydra.run.dir=alone
    dynas search supernet=mbv3 budget=60 confirm=0 hardware=onnxruntime known=first hydra.run.dir=taught
    python scripts/benchmarks/known_runs.py moved alone taught

On a machine that does other work one run's latencies may all be some percent longer than another's: they are scaled by
the sub-networks that a search has in common with the moved front, which are the smallest and the largest at least.
Hypervolume counts up to the worst of all that was measured in any run. Prints evaluations, minutes since the start and
seconds of measuring until a search has the hypervolume of the moved front, its share of that at the end, and the scale.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from dynas.report.transfer import timed_column
from dynas.runs.hypervolume import reference_point, volumes
from dynas.runs.load import Run, load_run


def scale(moved: Run, run: Run) -> float:
    """Return how many times longer the latencies of shared sub-networks are in the moved front than in a search."""
    column = timed_column(run.objectives)
    shared = [(moved.keys.index(key), row) for row, key in enumerate(run.keys) if key in moved.keys]
    return float(np.exp(np.mean([np.log(moved.values[a, column] / run.values[b, column]) for a, b in shared])))


def scaled(run: Run, factor: float) -> Run:
    """Return a run with longer or shorter latencies."""
    values = run.first.values.copy()
    values[:, timed_column(run.objectives)] *= factor
    return replace(run.first, values=values)


def minutes(run: Run, row: int) -> float:
    """Return the wall time from the start of a run to one of its evaluations."""
    known = datetime.fromisoformat(run.rows[row][run.header.index("timestamp")])
    return (known - datetime.fromisoformat(run.facts["started"])).total_seconds() / 60


def main() -> None:
    """Print the table."""
    moved, *searches = (load_run(Path(folder)) for folder in sys.argv[1:])
    factors = [scale(moved, run) for run in searches]
    searches = [scaled(run, factor) for run, factor in zip(searches, factors, strict=True)]
    point = reference_point([moved, *searches])
    wanted = volumes(moved, point)[-1]
    table = Table("search", "evaluations", "minutes", "measuring [s]", "at the end", "scale")
    for run, factor in zip(searches, factors, strict=True):
        curve = volumes(run, point) / wanted
        cells = ["—"] * 3
        if len(reached := np.flatnonzero(curve >= 1)):
            row = int(reached[0])
            cells = [str(row + 1), f"{minutes(run, row):.1f}", f"{run.seconds[: row + 1].sum():.0f}"]
        table.add_row(run.folder.name, *cells, f"{curve[-1]:.3f}", f"{factor:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
