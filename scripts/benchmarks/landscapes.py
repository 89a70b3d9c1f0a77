"""Deterministic landscapes on which searches can be compared: an evaluation costs next to nothing.

`mbv3` is the embedded supernet with top-1 from a model fitted to measured sub-networks. Its rows, option indices and
top-1, are landscapes/mbv3_top1.csv, written by `python scripts/benchmarks/landscapes.py FOLDER...` from run folders of

    dynas search objectives=[top1,macs] mode=validation algo=nsga2 budget=600
    dynas search objectives=[top1,macs] mode=validation algo=random algo.draw=genes budget=600
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir

import synthetic
from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.core.evaluation import Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Values, losses
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.executors.serial import Serial
from dynas.predictors.stacked import Stacked
from dynas.supernets.mbv3 import search_space
from dynas.system.folders import CONFIGS
from landscape import Landscape

ROWS = Path(__file__).parent / "landscapes" / "mbv3_top1.csv"


def landscape(name: str) -> Landscape:
    """Return the landscape of a name in `LANDSCAPES`."""
    return LANDSCAPES[name]()


def between_corners(problem: Problem, values: Callable[[Genotypes], Values]) -> Landscape:
    """Return a landscape whose reference is the worse of its smallest and largest sub-network in each objective."""
    corners = np.stack([problem.space.smallest(), problem.space.largest()])
    return Landscape(problem, values, losses(problem.objectives, values(corners)).max(axis=0))


def composed(*overrides: str) -> tuple[Problem, Callable[[Genotypes], Iterator[Measurement]]]:
    """Return the problem of a config and what measures it."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        problem, bench = build_problem(compose("search", overrides=list(overrides)))
    return problem, bench.measure


def measured(*overrides: str) -> Landscape:
    """Return the landscape of a config's own measurements, each made once per process."""
    problem, measure = composed(*overrides)
    known: dict[bytes, tuple[float, ...]] = {}

    def values(genotypes: Genotypes) -> Values:
        missing = {row.tobytes(): row for row in genotypes if row.tobytes() not in known}
        if missing:
            answers = measure(np.array(list(missing.values())))
            known.update((token, answer.values) for token, answer in zip(missing, answers, strict=True))
        return np.array([known[row.tobytes()] for row in genotypes])

    return between_corners(problem, values)


def embedded_mbv3() -> Landscape:
    """Return exact MACs and top-1 from a stacked predictor of all measured rows."""
    problem, _ = composed("supernet=mbv3", "objectives=[top1,macs]")
    with ROWS.open(newline="") as file:
        rows = [(list(map(int, row["genotype"])), float(row["top1 [%]"])) for row in csv.DictReader(file)]
    model = Stacked()
    model.fit(problem.space.one_hot(np.array([genotype for genotype, _ in rows])), np.array([top1 for _, top1 in rows]))

    def values(genotypes: Genotypes) -> Values:
        return np.stack([model.predict(problem.space.one_hot(genotypes)), problem.exact["macs"](genotypes)], axis=1)

    return between_corners(problem, values)


MODELLED = ("supernet=mbv3", "data=imagenet_surrogate")
LANDSCAPES: dict[str, Callable[[], Landscape]] = {
    "note10": partial(measured, *MODELLED, "hardware=note10", "objectives=[top1,latency]"),
    "macs": partial(measured, *MODELLED, "objectives=[top1,macs]"),
    "three": partial(measured, *MODELLED, "hardware=note10", "objectives=[top1,latency,params]"),
    "bound": partial(
        measured, *MODELLED, "hardware=note10", "objectives=[top1,latency]", "objectives.latency.bound=35"
    ),
    "rugged": synthetic.rugged,
    "unordered": synthetic.unordered,
    "nk2": partial(synthetic.nk, 2),
    "nk4": partial(synthetic.nk, 4),
    "ordered": synthetic.ordered,
    "dominant": synthetic.dominant,
    "noisy": synthetic.noisy,
    "tight": synthetic.tight,
    "large": synthetic.large,
    "four": synthetic.four,
    "mbv3": embedded_mbv3,
    "ncf": partial(measured, "supernet=ncf_movielens", "objectives=[hr10,macs]"),
}


@lru_cache(maxsize=1)
def kept(name: str) -> Landscape:
    """Return a landscape, and the same one again while no other is asked for."""
    return landscape(name)


def write_rows(folders: list[Path]) -> None:
    """Write the measured rows of run folders into `ROWS`."""
    space = search_space()
    found: dict[str, str] = {}
    for folder in folders:
        with (folder / "results.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                found["".join(map(str, space.encode(json.loads(row["architecture"]))))] = row["top1 [%]"]
    ROWS.parent.mkdir(exist_ok=True)
    with ROWS.open("w", newline="") as file:
        csv.writer(file).writerows([("genotype", "top1 [%]"), *found.items()])


def evaluator(one: Landscape, budget: int) -> Evaluator:
    """Return what measures a landscape so many times."""
    return Evaluator(one.problem, Serial(one.measure), budget)


if __name__ == "__main__":
    write_rows([Path(name) for name in sys.argv[1:]])
