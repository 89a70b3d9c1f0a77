"""LINAS against what tools for language models do, on a decoder: equal numbers of evaluations, equal bounds.

    python scripts/benchmarks/decoder_rivals.py                   # the embedded decoder, bits per byte and memory
    python scripts/benchmarks/decoder_rivals.py --cost macs       # the same with another exact cost
    python scripts/benchmarks/decoder_rivals.py supernet.weights=<folder> supernet.widths=null

    linas            mode=linas with its defaults
    additive         mode=additive: scores of one change at a time, and an exact knapsack within limits on the cost
    uniform          random ones of those whose layers are alike: depth (by importance), width, groups and feed
    additive, linas  half of the evaluations by one, then the rest by the other from its front (warm_start)
    uniform, linas

Evaluations are deterministic and kept in --table, so that a stopped benchmark goes on and the methods share them.
Printed is a Markdown table: mean and standard deviation over the seeds of the best quality within bounds on the cost,
which lie at shares of the way from the cheapest to the dearest sub-network, and of the hypervolume as a share of that
of everything that was measured, up to the worse of the smallest and the largest sub-network in each objective. Bold:
the best, and what is less than two standard errors of the difference behind it. The last row is every uniform
sub-network, which takes more evaluations.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray

from dynas.algos.named import algorithm
from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.core.evaluation import Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Values
from dynas.core.pareto import hypervolume, nadir, non_dominated
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.executors.serial import Serial
from dynas.metrics.measurer import Measurer
from dynas.modes.named import named_mode
from dynas.predictors.named import predictor
from dynas.supernets.decoder import DecoderSupernet
from dynas.system.folders import CONFIGS

WINDOWS = 32  # of held-out text
Method = Callable[["Bench", int, int], Genotypes]  # from bench, evaluations and seed to what was measured


@dataclass(frozen=True, eq=False)
class Bench:
    """A decoder, and what is known of its sub-networks.

    Attributes:
        problem: quality, which is measured, and a cost, which is counted.
        measurer: measures both.
        known: measured values by key.
        table: file that keeps them.
    """

    problem: Problem
    measurer: Measurer
    known: dict[str, tuple[float, ...]]
    table: Path

    @property
    def supernet(self) -> DecoderSupernet:
        """Where the sub-networks come from."""
        supernet = self.measurer.bench.supernet
        assert isinstance(supernet, DecoderSupernet)
        return supernet

    def measure(self, genotypes: Genotypes) -> Iterator[Measurement]:
        """Yield what is known of canonical genotypes ``(n, G)``, and measure what is not."""
        for key, genotype in zip(self.problem.space.keys(genotypes), genotypes, strict=True):
            if key not in self.known:
                (found,) = self.measurer.measure(genotype[None])
                self.known[key] = found.values
                with self.table.open("a", newline="") as file:
                    csv.writer(file).writerow([key, *map(repr, found.values)])
            yield Measurement(self.known[key])

    def losses(self, genotypes: Genotypes) -> Values:
        """Return the losses ``(n, 2)`` of canonical genotypes ``(n, G)``; both are better where they are lower."""
        return np.array([one.values for one in self.measure(genotypes)])

    def search(self, mode: str, budget: int, seed: int, start: Genotypes | None = None) -> Genotypes:
        """Search as ``dynas search`` does with its defaults; return what was measured."""
        evaluate = Evaluator(self.problem, Serial(self.measure), budget)
        predictors = {one.name: predictor("gp") for one in self.problem.objectives if not one.exact}
        rng = np.random.default_rng(seed)
        named_mode(mode).run(evaluate, algorithm("pareto_local_search"), predictors, rng, start=start)
        return evaluate.measured.genotypes


def linas(bench: Bench, budget: int, seed: int) -> Genotypes:
    """Return what LINAS measures."""
    return bench.search("linas", budget, seed)


def additive(bench: Bench, budget: int, seed: int) -> Genotypes:
    """Return what sums of scores lead to, and what told these."""
    return bench.search("additive", budget, seed)


def uniform(bench: Bench, budget: int, seed: int) -> Genotypes:
    """Return random ones of those whose layers are alike."""
    grid = alike(bench.supernet)
    return grid[np.random.default_rng(seed).permutation(len(grid))[:budget]]


def followed_by_linas(first: Method) -> Method:
    """Return what measures the one half by another method and the rest by LINAS, which begins with that one's front."""

    def method(bench: Bench, budget: int, seed: int) -> Genotypes:
        before = first(bench, budget // 2, seed)
        front = before[non_dominated(bench.losses(before))]
        return np.vstack([before, bench.search("linas", budget - budget // 2, seed, front)])

    return method


METHODS: dict[str, Method] = {
    "linas": linas,
    "additive": additive,
    "uniform": uniform,
    "additive, linas": followed_by_linas(additive),
    "uniform, linas": followed_by_linas(uniform),
}


def alike(supernet: DecoderSupernet) -> Genotypes:
    """Return all sub-networks whose kept layers have the same sizes; those layers are left out that matter least."""
    space, skipped = supernet.space, supernet.shape.skipped
    ranked = [layer for layer in supernet.order if layer in skipped]
    options = []
    for variable in space.variables:
        if variable.name == "keep":
            kept = [set(ranked[:count]) for count in range(len(skipped) + 1)]
            options.append([[int(layer in some) for layer in skipped] for some in kept])
        else:
            options.append([[one] * variable.length for one in range(len(variable.choices))])
    rows = [np.concatenate(genes) for genes in itertools.product(*options)]
    return np.unique(space.canonical(np.array(rows)), axis=0)


def open_bench(cost: str, table: Path | None, overrides: Sequence[str]) -> Bench:
    """Return the decoder that the overrides describe; its table is another one for other weights, data or cost."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        chosen = ["supernet=decoder", f"objectives=[bits_per_byte,{cost}]", f"data.validation_size={WINDOWS}"]
        problem, measurer = build_problem(compose("search", overrides=[*chosen, *overrides]))
    bench = measurer.bench
    path = table or Path(f"decoder_{cost}_{bench.supernet.weights_digest[:8]}_{bench.data.digest[:8]}.csv")
    known = {}
    if path.exists():
        with path.open(newline="") as file:
            known = {key: tuple(map(float, values)) for key, *values in csv.reader(file)}
    return Bench(problem, measurer, known, path)


def best_within(losses: Values, bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the best quality of losses ``(n, 2)`` within each bound on the cost; NaN where nothing is."""
    inside = np.where(losses[:, 1] <= bounds[:, None], losses[:, 0], np.inf).min(axis=1)
    return np.where(np.isfinite(inside), inside, np.nan)


def cell(own: NDArray[np.float64], best: NDArray[np.float64], sign: int) -> str:
    """Return mean and standard deviation of values ``(seeds,)``, bold where those of the best are as good."""
    if missing := int(np.isnan(own).sum()):
        return f"none in {missing} of {len(own)} runs"
    spread = f" ± {own.std(ddof=1):.3f}" if len(own) > 1 else ""
    error = sum(one.var(ddof=1) / len(one) for one in (own, best) if len(one) > 1) ** 0.5
    behind = sign * (own.mean() - best.mean())
    text = f"{own.mean():.3f}{spread}"
    return f"**{text}**" if behind == 0 or behind < 2 * error else text


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cost", default="memory", choices=("memory", "macs", "params"), help="the exact objective")
    parser.add_argument("--budget", type=int, default=140, help="evaluations of each run")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each method")
    parser.add_argument("--bounds", type=float, nargs="+", default=[0.1, 0.25, 0.4, 0.6, 0.8], help="shares, see above")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS, metavar="METHOD")
    parser.add_argument("--table", type=Path, help="keeps evaluations; by default a file here, named by the weights")
    parser.add_argument("overrides", nargs="*", help="of dynas search, such as supernet.weights=<folder>")
    given = parser.parse_args()
    bench = open_bench(given.cost, given.table, given.overrides)
    space, cost = bench.problem.space, bench.problem.objectives[1]
    ends = bench.losses(np.stack([space.smallest(), space.largest()]))
    reference = nadir(ends)
    bounds = ends[0, 1] + np.array(given.bounds) * (ends[1, 1] - ends[0, 1])
    found: dict[str, list[Values]] = {}
    for name in given.methods:
        for seed in range(given.seeds):
            found.setdefault(name, []).append(bench.losses(METHODS[name](bench, given.budget, seed)))
            print(f"{name}, seed {seed}: {len(bench.known)} known", flush=True)
    grid = bench.losses(alike(bench.supernet))
    everything = np.vstack([grid, *itertools.chain(*found.values())])
    whole = hypervolume(everything[(everything <= reference).all(axis=1)], reference)

    def row(losses: Values) -> NDArray[np.float64]:
        share = hypervolume(losses[(losses <= reference).all(axis=1)], reference) / whole
        return np.array([*best_within(losses, bounds), share])

    rows = {name: np.stack([row(losses) for losses in runs]) for name, runs in found.items()}
    signs = [1] * len(bounds) + [-1]
    print(f"\n{given.budget} evaluations, {given.seeds} seeds; smallest {ends[0]}, largest {ends[1]}\n")
    print(
        "| method | " + " | ".join(f"{cost.name} <= {bound:.4g} {cost.unit}" for bound in bounds) + " | hypervolume |"
    )
    print("| --- " + "| ---: " * len(signs) + "|")
    columns = []
    for column, sign in enumerate(signs):
        values = [some[:, column] for some in rows.values()]
        best = min(values, key=lambda one: np.nan_to_num(sign * one.mean(), nan=np.inf))
        columns.append([cell(one, best, sign) for one in values])
    for name, texts in zip(rows, zip(*columns, strict=True), strict=True):
        print(f"| {name} | {' | '.join(texts)} |")
    print(f"| uniform, all {len(grid)} | {' | '.join(f'{value:.3f}' for value in row(grid))} |")


if __name__ == "__main__":
    main()
