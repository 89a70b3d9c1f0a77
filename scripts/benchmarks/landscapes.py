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
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir

from dynas.compose.build import build_problem
from dynas.compose.frames import register
from dynas.core.evaluation import Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Objective, Values, losses
from dynas.core.problem import Batch, Problem
from dynas.core.space import Genotypes
from dynas.executors.serial import Serial
from dynas.predictors.stacked import Stacked
from dynas.supernets.mbv3 import search_space
from dynas.system.folders import CONFIGS

ROWS = Path(__file__).parent / "landscapes" / "mbv3_top1.csv"


@dataclass(frozen=True)
class Landscape:
    """A problem with a function that stands in for measurements.

    Attributes:
        problem: space, objectives and exact functions.
        values: from canonical genotypes ``(n, G)`` to values ``(n, M)``.
        reference: losses ``(M,)`` up to which hypervolume counts.
    """

    problem: Problem
    values: Callable[[Genotypes], Values]
    reference: Values

    def measure(self, genotypes: Genotypes) -> Iterator[Measurement]:
        """Yield the values of each genotype ``(n, G)``."""
        yield from (Measurement(tuple(map(float, row))) for row in self.values(genotypes))

    def allowed(self, batch: Batch) -> Values:
        """Return losses ``(n, M)`` with NaN for what failed or is beyond a bound."""
        return np.where((batch.violation <= 0)[:, None], batch.losses, np.nan)


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


def rugged(terms: int = 60, strength: float = 0.35) -> Landscape:
    """Return a landscape of which triples of genes explain more than single genes do.

    Each triple adds a random number for every combination of its options, absence being one of them.
    """
    space, rng = search_space(), np.random.default_rng(5)
    main, cost_weights = (np.concatenate([np.sort(rng.random(count)) for count in space.cardinality]) for _ in range(2))
    triples = [rng.choice(space.n_genes, 3, replace=False) for _ in range(terms)]
    tables = rng.normal(scale=strength, size=(terms, 4, 4, 4))

    def quality(genotypes: Genotypes) -> Values:
        options = np.where(space.active(genotypes), genotypes, 3)
        total = (space.one_hot(genotypes) * main).sum(axis=1) / 2
        for genes, table in zip(triples, tables, strict=True):
            total = total + table[tuple(options[:, genes].T)]
        return np.asarray(total)

    def cost(genotypes: Genotypes) -> Values:
        return np.asarray((space.one_hot(genotypes) * cost_weights).sum(axis=1))

    objectives = (Objective("quality", "max", "points"), Objective("cost", "min", "coins", exact=True))
    problem = Problem(space, objectives, {"cost": cost})
    sample = space.sample(2000, np.random.default_rng(0))
    reference = np.array([-np.quantile(quality(sample), 0.1), cost(space.largest()[None])[0]])
    return Landscape(problem, lambda rows: np.stack([quality(rows), cost(rows)], axis=1), reference)


MODELLED = ("supernet=mbv3", "data=imagenet_surrogate")
LANDSCAPES: dict[str, Callable[[], Landscape]] = {
    "note10": partial(measured, *MODELLED, "hardware=note10", "objectives=[top1,latency]"),
    "macs": partial(measured, *MODELLED, "objectives=[top1,macs]"),
    "three": partial(measured, *MODELLED, "hardware=note10", "objectives=[top1,latency,params]"),
    "bound": partial(
        measured, *MODELLED, "hardware=note10", "objectives=[top1,latency]", "objectives.latency.bound=35"
    ),
    "rugged": rugged,
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
