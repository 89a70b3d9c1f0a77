"""What it is worth to a second search that an earlier one, on another device, has measured quality already.

    python scripts/benchmarks/known.py [--seeds 5] [--budget 60]

Two devices with one model of ImageNet's top-1 (`data=imagenet_surrogate`) and no noise: what a sub-network takes is its
MACs on the first and the shipped table of a phone on the second. The front of the first search, as it is on the second
device, is what the second search has to reach. Prints evaluations until it does (budget + 1 where it does not), and
hypervolume in shares of that front's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from dynas import Objective
from dynas.algos.named import algorithm
from dynas.core.evaluation import Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Values
from dynas.core.pareto import hypervolume, hypervolume_curve
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.executors.serial import Serial
from dynas.modes.linas import Linas
from dynas.modes.prediction import spread_front
from dynas.predictors.named import predictor
from landscapes import MODELLED, composed

Device = Callable[[Genotypes], Iterator[Measurement]]
OBJECTIVES = (Objective("top1", "max", "%"), Objective("latency", "min", "ms"))  # both are measured
SHOWN = (10, 20, 30, 40, 60)


def devices() -> tuple[Problem, Device, Device]:
    """Return what is searched, and two devices to measure it on."""
    problem, phone = composed(*MODELLED, "hardware=note10", "objectives=[top1,latency]")
    _, counter = composed(*MODELLED, "objectives=[top1,macs]")
    return Problem(problem.space, OBJECTIVES), counter, phone


def search(problem: Problem, device: Device, budget: int, seed: int, **given: Any) -> Evaluator:
    """Search one device; ``given`` are what is known, a start, and settings of LINAS."""
    known, start = given.pop("known", None), given.pop("start", None)
    evaluate = Evaluator(problem, Serial(device), budget, known=known)
    predictors = dict.fromkeys((one.name for one in OBJECTIVES), predictor("gp"))
    rng = np.random.default_rng(seed)
    Linas(**given).run(evaluate, algorithm("pareto_local_search"), predictors, rng, None, start)
    return evaluate


def second_searches(problem: Problem, first: Evaluator) -> Mapping[str, dict[str, Any]]:
    """Return what second searches are given of the first."""
    measured = first.measured
    known = {"top1": (measured.genotypes, -measured.losses[:, 0])}
    start = spread_front(measured)
    return {
        "nothing": {},
        "nothing, first round of 10": {"start_size": 10},
        "warm_start": {"start": start},
        "known": {"known": known},
        "known, first round of 6": {"known": known, "start_size": 6},
        "known and warm_start": {"known": known, "start": start},
    }


def losses_of(device: Device, genotypes: Genotypes) -> Values:
    """Return losses ``(n, 2)`` on a device."""
    return np.array([[-top1, cost] for top1, cost in (one.values for one in device(genotypes))])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=60)
    given = parser.parse_args()
    problem, counter, phone = devices()
    corners = np.stack([problem.space.smallest(), problem.space.largest()])
    reference = losses_of(phone, corners).max(axis=0)
    reached: dict[str, list[int]] = {}
    shares: dict[str, list[Values]] = {}
    for seed in range(given.seeds):
        first = search(problem, counter, given.budget, seed)
        wanted = hypervolume(losses_of(phone, spread_front(first.measured)), reference)
        for name, settings in second_searches(problem, first).items():
            second = search(problem, phone, given.budget, 100 + seed, **settings)
            curve = hypervolume_curve(second.measured.losses, reference) / wanted
            enough = np.flatnonzero(curve >= 1)
            reached.setdefault(name, []).append(int(enough[0]) + 1 if len(enough) else given.budget + 1)
            shares.setdefault(name, []).append(curve)
    table = Table("the second search is given", "evaluations", *(f"@{n}" for n in SHOWN if n <= given.budget))
    for name, counts in reached.items():
        mean = np.mean(shares[name], axis=0)
        table.add_row(name, f"{np.mean(counts):.1f}", *(f"{mean[n - 1]:.3f}" for n in SHOWN if n <= given.budget))
    Console().print(table)


if __name__ == "__main__":
    main()
