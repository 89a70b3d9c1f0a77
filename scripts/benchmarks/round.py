"""Time one round of LINAS by what it has to learn from: processor seconds to train, search and choose.

    python scripts/benchmarks/round.py [--rows 50,100,350,1000] [--predictors ridge,gp]

On the landscape `note10` (landscapes.py): so many random sub-networks, then one round of 10. The predictors'
cross-validation for predictors.csv is timed apart.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from dynas.algos.named import algorithm
from dynas.core.evaluation import Evaluation, PredictorQuality
from dynas.core.evaluator import Evaluator
from dynas.modes.linas import Linas
from dynas.predictors.named import predictor
from landscape import Landscape
from landscapes import evaluator, landscape


class Ignored:
    """Wants predictors to be cross-validated and looks at nothing."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """Nothing."""

    def fitted(self, iteration: int, quality: Sequence[PredictorQuality]) -> None:
        """Nothing."""


def round_seconds(one: Landscape, rows: int, name: str, observer: Ignored | None) -> float:
    """Return the processor seconds of a search that makes one round after ``rows`` random sub-networks."""
    evaluate: Evaluator = evaluator(one, rows + 10)
    mode = Linas(start="uniform", start_size=rows)
    predicted = {one.name: predictor(name) for one in evaluate.problem.objectives if not one.exact}
    started = time.process_time()
    mode.run(evaluate, algorithm("pareto_local_search"), predicted, np.random.default_rng(0), observer)
    return time.process_time() - started


def main() -> None:
    """Print one row per predictor and number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="50,100,350,1000")
    parser.add_argument("--predictors", default="ridge,gp")
    given = parser.parse_args()
    one = landscape("note10")
    table = Table(title="CPU seconds of one round")
    for column in ("predictor", "rows", "round [s]", "with cross-validation [s]"):
        table.add_column(column, justify="right")
    for name in given.predictors.split(","):
        for rows in map(int, given.rows.split(",")):
            seconds = (round_seconds(one, rows, name, observer) for observer in (None, Ignored()))
            table.add_row(name, str(rows), *(f"{value:.2f}" for value in seconds))
    Console().print(table)


if __name__ == "__main__":
    main()
