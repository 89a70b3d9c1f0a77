"""Compare search algorithms and modes on the modelled ImageNet landscape, as the paper's Figure 10 and Table 3.

    python scripts/benchmarks/algorithms.py [--methods linas_nsga2,nsga2,random] [--seeds 5] [--budget 2000] [--jobs 2]

Top-1 comes from a model fitted to measured sub-networks and latency from the Note10 table, so nothing here is a
measurement; what is compared is how many evaluations a search needs. Prints, per method, the mean hypervolume
(up to the smallest sub-network's top-1 and the largest one's latency) with its standard error after several numbers
of evaluations, the CPU seconds of a search, and the evaluations after which its mean hypervolume reaches (T1) that
of random search and (T2) that of NSGA-II at the end. Random search comes twice: uniform over sub-networks, and with
every design variable uniform (T1 genes), which is the stronger baseline since shallow networks are rare among all.
Runs that lie in the output folder are not made again.
"""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir
from rich.console import Console
from rich.table import Table

from dynas.algos.named import algorithm
from dynas.compose.frames import register
from dynas.compose.parts import build_predictor
from dynas.compose.problem import build_problem
from dynas.core.evaluator import Evaluator
from dynas.core.mode import Predictors, SearchMode
from dynas.core.objectives import Values, losses
from dynas.core.pareto import hypervolume_curve
from dynas.core.problem import Problem
from dynas.executors.serial import Serial
from dynas.modes.linas import Linas
from dynas.modes.oneshot import OneShot
from dynas.modes.validation import Validation
from dynas.report.plots.figure import new_figure, save, tidy
from dynas.system.files import write_csv
from dynas.system.folders import CONFIGS

LANDSCAPE = ("supernet=mbv3", "data=imagenet_surrogate", "hardware=note10", "together=50")
CHECKPOINTS = (50, 100, 150, 200, 250, 350, 500, 1000, 2000)
MULTI = ("nsga2", "agemoea", "unsga3", "ctaea", "moead", "motpe")
# TPE needs 10 to 100 ms for a candidate, so LINAS gives it fewer predictions
MODES: dict[str, tuple[Callable[[], SearchMode], str]] = {
    **{name: (partial(Validation), name) for name in ("random", *MULTI)},
    **{f"linas_{name}": (partial(Linas, 50, 500 if name == "motpe" else 20_000), name) for name in ("random", *MULTI)},
    "linas_nsga2_25": (partial(Linas, 25), "nsga2"),  # half the population: predictions help from evaluation 26 on
    "oneshot_nsga2": (partial(OneShot, 1000), "nsga2"),
}
GENES = "random_genes"
TARGETS = {"T1": "random", "T1 genes": GENES, "T2": "nsga2"}  # whose final mean hypervolume is to be reached
MODES[GENES] = (partial(Validation), "random")


def landscape() -> tuple[Problem, Evaluator, Predictors, Values]:
    """Return problem, a fresh evaluator without budget, the default predictors and the reference point ``(2,)``."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("search", overrides=list(LANDSCAPE))
        problem, bench = build_problem(config)
        predictors = {"top1": build_predictor(config, "top1")}
    corners = np.stack([problem.space.smallest(), problem.space.largest()])
    evaluate = Evaluator(problem, Serial(bench.measure), 2)
    found = evaluate(corners).losses
    return problem, Evaluator(problem, Serial(bench.measure), 0), predictors, found.max(axis=0)


def run(method: str, seed: int, budget: int, folder: Path) -> None:
    """Make one search and keep its values and CPU seconds, unless that was done before."""
    path = folder / f"{method}_{seed}_{budget}.npz"
    if path.exists():
        return
    _, evaluate, predictors, _ = landscape()
    evaluate.budget = budget
    make_mode, name = MODES[method]
    make_algorithm = algorithm(name, draw="genes") if method == GENES else algorithm(name)
    started = time.process_time()
    make_mode().run(evaluate, make_algorithm, predictors, np.random.default_rng(seed))
    seconds = time.process_time() - started
    values = [evaluation.measurement.values for evaluation in evaluate.history]
    np.savez(path, values=np.array(values), seconds=seconds)


def reached(curve: Values, target: float) -> int | None:
    """Return the number of evaluations after which a curve ``(n,)`` is at ``target``, or None."""
    found = np.flatnonzero(curve >= target)
    return int(found[0]) + 1 if len(found) else None


def load(folder: Path, methods: list[str], seeds: int, budget: int) -> tuple[dict[str, Values], dict[str, float]]:
    """Return each method's hypervolume curves ``(seeds, budget)`` and its mean CPU seconds."""
    problem, _, _, reference = landscape()
    curves: dict[str, Values] = {}
    seconds: dict[str, float] = {}
    for method in methods:
        runs = [np.load(folder / f"{method}_{seed}_{budget}.npz") for seed in range(seeds)]
        curves[method] = np.stack(
            [hypervolume_curve(losses(problem.objectives, one["values"]), reference) for one in runs]
        )
        seconds[method] = float(np.mean([one["seconds"] for one in runs]))
    return curves, seconds


def report(folder: Path, curves: dict[str, Values], seconds: dict[str, float]) -> None:
    """Print the table, write it as CSV and draw the curves."""
    means = {method: curve.mean(axis=0) for method, curve in curves.items()}
    budget = len(next(iter(means.values())))
    checkpoints = [n for n in CHECKPOINTS if n <= budget]
    targets = [(label, means[name][-1]) for label, name in TARGETS.items() if name in means]
    header = ["method", *(f"HV@{n}" for n in checkpoints), "CPU s", *(label for label, _ in targets)]
    rows = []
    for method in sorted(means, key=lambda one: -means[one][-1]):
        errors = curves[method].std(axis=0, ddof=1) / np.sqrt(len(curves[method]))
        cells = [f"{means[method][n - 1]:.2f} ± {errors[n - 1]:.2f}" for n in checkpoints]
        hits = [reached(means[method], target) for _, target in targets]
        rows.append([method, *cells, f"{seconds[method]:.1f}", *(str(hit or f"> {budget}") for hit in hits)])
    table = Table(*header, title=f"{len(next(iter(curves.values())))} seeds, top-1 modelled, latency from a table")
    for row in rows:
        table.add_row(*row)
    Console(width=200).print(table)
    write_csv(folder / "algorithms.csv", header, rows)
    figure = new_figure(8, 5)
    axes = figure.add_subplot()
    for index, (method, mean) in enumerate(means.items()):
        axes.plot(
            np.arange(1, budget + 1), mean, label=method, color=f"C{index}", linestyle="-" if index < 10 else "--"
        )
    axes.set(xscale="log", xlim=(50, budget), xlabel="evaluations", ylabel="hypervolume [% x ms], top-1 modelled")
    axes.set_xticks(checkpoints, labels=map(str, checkpoints), minor=False)
    axes.minorticks_off()
    axes.set_ylim(bottom=min(mean[min(49, budget - 1)] for mean in means.values()))
    axes.legend(fontsize=7)
    tidy(axes)
    save(figure, folder / "algorithms.png")


def main() -> None:
    """Run all searches, then report them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default=",".join(MODES), help="comma-separated")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=2000, help="evaluations per search")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="searches side by side")
    parser.add_argument("--out", type=Path, default=Path("outputs/algorithms"))
    arguments = parser.parse_args()
    methods = arguments.methods.split(",")
    if unknown := [method for method in methods if method not in MODES]:
        parser.error(f"unknown method {unknown[0]}: choose from {', '.join(MODES)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    os.environ["OMP_NUM_THREADS"] = "1"  # for the workers: side by side, each on its own core
    with ProcessPoolExecutor(arguments.jobs) as pool:
        jobs = [
            pool.submit(run, method, seed, arguments.budget, arguments.out)
            for seed in range(arguments.seeds)
            for method in methods
        ]
        for job in jobs:
            job.result()
    report(arguments.out, *load(arguments.out, methods, arguments.seeds, arguments.budget))


if __name__ == "__main__":
    main()
