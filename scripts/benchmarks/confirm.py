"""How much noise flatters a front, and how much of that remains after its members were measured again.

    python scripts/benchmarks/confirm.py [--seeds 12] [--noise 0.03 0.07] [--draws 40]

LINAS searches the full-size OFA-MobileNetV3 for modelled ImageNet top-1 and the latency of a Samsung Note10, both
exact, with 250 evaluations, every latency being multiplied by normal noise. Then its front is measured again, with new
noise in each of the draws. Printed are means over seeds and draws, hypervolumes up to the worst values of each run:

    inflation   reported against true hypervolume of the members of the final front
    lost        true hypervolume of these members against that of the true front of everything measured
    again       further measurements
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray

from dynas.algos.named import algorithm
from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.core.evaluation import Evaluation, Measure, Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.metric import CountedMetric
from dynas.core.objectives import Objective, Values, losses
from dynas.core.pareto import hypervolume, nadir
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.executors.serial import Serial
from dynas.modes.confirm import confirm, front_rows
from dynas.modes.named import named_mode
from dynas.predictors.named import predictor
from dynas.runs.confirmed import averaged
from dynas.system.folders import CONFIGS

BUDGET = 250
OBJECTIVES = (Objective("top1", "max", "%"), Objective("latency", "min", "ms"))
Truth = Callable[[Genotypes], Values]  # canonical genotypes (n, G) -> top-1 and latency (n, 2)


class List:
    """Further measurements that need not survive."""

    def __init__(self) -> None:
        self.history: list[Evaluation] = []

    def append(self, evaluation: Evaluation) -> None:
        """Keep one."""
        self.history.append(evaluation)


def landscape() -> tuple[Problem, Truth]:
    """Return the noisy problem and the function that knows the truth."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        exact, measurer = build_problem(compose("search", overrides=["data=imagenet_surrogate", "hardware=note10"]))
    metric, supernet = measurer.metrics["top1"], measurer.bench.supernet
    assert isinstance(metric, CountedMetric)

    def truth(genotypes: Genotypes) -> Values:
        top1 = metric.count(supernet, genotypes)
        return np.stack([top1, exact.exact["latency"](genotypes)], axis=1).astype(float)

    return Problem(exact.space, OBJECTIVES), truth


def noisy(truth: Truth, noise: float, rng: np.random.Generator, columns: list[int]) -> Measure:
    """Return what measures the given objectives, latency with relative noise."""

    def measure(genotypes: Genotypes) -> Iterator[Measurement]:
        values = truth(genotypes)
        values[:, 1] *= 1 + noise * rng.standard_normal(len(values))
        for row in values[:, columns]:
            yield Measurement(tuple(map(float, row)))

    return measure


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one search measured: true and first losses ``(n, 2)``, and the worst values."""

    evaluator: Evaluator
    true: Values
    first: Values
    worst: Values

    def row(self, values: Values, members: NDArray[np.int64], again: int) -> tuple[float, float, float]:
        """Return inflation and loss in percent and the number of further measurements."""
        reported, true, best = (
            hypervolume(some, self.worst)
            for some in (losses(OBJECTIVES, values)[members], self.true[members], self.true)
        )
        return 100 * (reported / true - 1), 100 * (1 - true / best), float(again)


def search(problem: Problem, truth: Truth, noise: float, seed: int) -> Outcome:
    """Search with noisy latencies."""
    evaluator = Evaluator(problem, Serial(noisy(truth, noise, np.random.default_rng([seed, 1]), [0, 1])), BUDGET)
    predictors = {objective.name: predictor("gp") for objective in OBJECTIVES}
    named_mode("linas").run(evaluator, algorithm("pareto_local_search"), predictors, np.random.default_rng(seed))
    genotypes = evaluator.measured.genotypes
    true, first = losses(OBJECTIVES, truth(genotypes)), evaluator.measured.losses
    return Outcome(evaluator, true, first, nadir(np.vstack([true, first])))


def strategies(outcome: Outcome, truth: Truth, noise: float, seed: int) -> dict[str, tuple[float, float, float]]:
    """Return inflation, loss and cost of every way to confirm."""
    problem, genotypes = outcome.evaluator.problem, outcome.evaluator.measured.genotypes
    keys = [evaluation.key for evaluation in outcome.evaluator.history]
    first = losses(OBJECTIVES, outcome.first)
    front = front_rows(problem, genotypes, first)
    told = {"first measurements": outcome.row(first, front, 0)}
    measure = noisy(truth, noise, np.random.default_rng([seed, 2]), [1])
    second = np.array([one.values[0] for one in measure(genotypes[front])])
    for name, latency in (("new value", second), ("mean of both", (first[front, 1] + second) / 2)):
        values = first.copy()
        values[front, 1] = latency
        members = front[front_rows(problem, genotypes[front], values[front])]
        told[f"front once, {name}"] = outcome.row(values, members, len(front))
    for times in (1, 2, 4):
        kept = List()
        confirm(outcome.evaluator, OBJECTIVES[1:], Serial(measure), kept, times)
        again: dict[str, list[tuple[float, ...]]] = {}
        for one in kept.history:
            again.setdefault(one.key, []).append(one.measurement.values)
        values = averaged(first, keys, [1], again)
        told[f"confirm={times}"] = outcome.row(values, front_rows(problem, genotypes, values), len(kept.history))
    return told


def main() -> None:
    """Print a table per noise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12, help="searches per noise")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.03, 0.07], help="relative standard deviations")
    parser.add_argument("--draws", type=int, default=40, help="confirmations of each search")
    arguments = parser.parse_args()
    problem, truth = landscape()
    for noise in arguments.noise:
        told: dict[str, list[tuple[float, float, float]]] = {}
        for seed in range(arguments.seeds):
            outcome = search(problem, truth, noise, seed)
            for draw in range(arguments.draws):
                for name, row in strategies(outcome, truth, noise, 1000 * seed + draw).items():
                    told.setdefault(name, []).append(row)
        print(f"noise {100 * noise:g} %, {arguments.seeds} searches      inflation     lost  again")
        for name, rows in told.items():
            inflation, lost, again = np.mean(rows, axis=0)
            print(f"  {name:32s}  {inflation:6.2f} %  {lost:5.2f} %  {again:5.1f}", flush=True)


if __name__ == "__main__":
    main()
