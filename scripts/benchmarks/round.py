"""Time one round of LINAS by what it has to learn from: processor seconds to train, search and choose.

    python scripts/benchmarks/round.py [--rows 50,100,350,1000,5000] [--predictors ridge,gp]

On the landscape `note10` (landscapes.py): so many random sub-networks, then one round of 10. What measuring them and
keeping the results costs is not counted. The predictors' cross-validation for predictors.csv is timed apart.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from dynas.algos.named import algorithm
from dynas.core.evaluation import Evaluation, Measurement, PredictorQuality
from dynas.core.evaluator import Evaluator
from dynas.core.space import Genotypes
from dynas.executors.serial import Serial
from dynas.modes.linas import Linas
from dynas.predictors.named import predictor
from landscape import Landscape
from landscapes import landscape


class Ignored:
    """Wants predictors to be cross-validated and looks at nothing."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """Nothing."""

    def fitted(self, iteration: int, quality: Sequence[PredictorQuality]) -> None:
        """Nothing."""


def round_seconds(one: Landscape, rows: int, name: str, observer: Ignored | None) -> float:
    """Return the processor seconds between measuring ``rows`` random sub-networks and the ten that are then chosen."""
    begun: list[float] = []
    measured: list[float] = []

    def measure(genotypes: Genotypes) -> Iterator[Measurement]:
        begun.append(time.process_time())
        for measurement in one.measure(genotypes):
            measured.append(time.process_time())
            yield measurement

    evaluate = Evaluator(one.problem, Serial(measure), rows + 10)
    mode = Linas(start="uniform", start_size=rows)
    predicted = {one.name: predictor(name) for one in evaluate.problem.objectives if not one.exact}
    mode.run(evaluate, algorithm("pareto_local_search"), predicted, np.random.default_rng(0), observer)
    return begun[1] - measured[rows - 1]


def main() -> None:
    """Print one row per predictor and number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="50,100,350,1000,5000")
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
