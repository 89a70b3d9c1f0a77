"""A search that starts within a second, measures slowly and writes a run folder: made to be killed.

usage: python -m tests.faults.slow_search FOLDER SECONDS_PER_MEASUREMENT
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dynas import DesignVariable, Objective, SearchSpace, depth_gates
from dynas.algos.random import RandomSearch
from dynas.core.evaluation import Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.executors.serial import Serial
from dynas.modes.validation import Validation
from dynas.runs.store import RunStore
from dynas.system.folder_lock import locked

BUDGET = 1500
SPACE = SearchSpace([DesignVariable("ks", (3, 5, 7), 8, depth_gates("d", [4, 4])), DesignVariable("d", (2, 3, 4), 2)])
OBJECTIVES = (Objective("quality", "max", "points"), Objective("cost", "min", "coins"))


def measure(genotypes: Genotypes, pause: float) -> Iterator[Measurement]:
    """Yield values that depend on nothing but the sub-network; every seventh one fails."""
    weights = np.random.default_rng(7).random((2, SPACE.n_features))
    for row in genotypes:
        time.sleep(pause)
        if int(row.sum()) % 7 == 0:
            yield Measurement((np.nan, np.nan), error='ValueError: "no, never"')
        else:
            yield Measurement(tuple((SPACE.one_hot(row[None]) * weights).sum(axis=1).tolist()), {}, pause)


def main(folder: Path, pause: float) -> None:
    with locked(folder):
        store = RunStore(folder, SPACE, OBJECTIVES)
        evaluate = Evaluator(Problem(SPACE, OBJECTIVES), Serial(lambda rows: measure(rows, pause)), BUDGET, store)
        Validation().run(evaluate, RandomSearch, {}, np.random.default_rng(3))
        store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
