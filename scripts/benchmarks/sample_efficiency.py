"""Count the real evaluations that searches need, on deterministic landscapes, against other packages.

    python scripts/benchmarks/sample_efficiency.py [--landscapes note10,macs] [--methods dynas,paper] [--seeds 5]

Landscapes (landscapes.py, synthetic.py) are formulas, models and tables, so that only the search costs time; `ncf`
alone is measured.
Every finished run is kept as a file in --out, and runs that lie there are not made again; any number of these
processes may share a folder. Prints per landscape the mean hypervolume after several numbers of evaluations, as a
share of the best known (by 40,000 evaluations of two searches on the landscape itself, or by any run shown), its
standard error, and CPU seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from dynas.algos.named import algorithm
from dynas.core.evaluator import Evaluator
from dynas.core.mode import SearchMode
from dynas.core.objectives import Values
from dynas.core.pareto import hypervolume_curve
from dynas.core.predictor import PredictorFactory
from dynas.core.problem import make_batch
from dynas.modes.additive import Additive
from dynas.modes.linas import Linas
from dynas.modes.validation import Validation
from dynas.predictors.named import predictor
from dynas.report.plots.figure import new_figure, save, tidy
from dynas.system.files import write_csv
from landscape import Landscape
from landscapes import LANDSCAPES, evaluator, kept
from rivals import EXTRA, RIVALS

SLOW = ("ncf",)  # landscapes too slow for a long search of their own
CHECKPOINTS = (50, 75, 100, 150, 250, 350, 500, 1000, 2000)
PLS = "pareto_local_search"
PAPER: dict[str, Any] = {
    "population": 50, "predicted_evaluations": 20_000, "start_size": None,
    "start": "uniform", "features": "one_hot", "optimism": 0, "choice": "spread",
}  # fmt: skip


def linas(
    settings: dict[str, Any], algo: str = PLS, predictors: str = "gp", **of_predictors: Any
) -> Callable[[Evaluator, int], None]:
    """Return a LINAS search with settings that differ from the defaults."""
    return partial(search, partial(Linas, **settings), algo, predictor(predictors, **of_predictors))


def search(
    make_mode: Callable[[], SearchMode],
    algo: str,
    make_predictor: PredictorFactory,
    evaluate: Evaluator,
    seed: int,
    **settings: Any,
) -> None:
    """Make one search of this package."""
    predicted = [one.name for one in evaluate.problem.objectives if not one.exact]
    make_predictors = dict.fromkeys(predicted, make_predictor)
    make_mode().run(evaluate, algorithm(algo, **settings), make_predictors, np.random.default_rng(seed))


def without(key: str) -> dict[str, Any]:
    """Return the settings of the defaults with one part as in the paper."""
    return {key: PAPER[key]}


METHODS: dict[str, Callable[[Evaluator, int], None]] = {
    "dynas": linas({}),
    "paper": linas(PAPER, "nsga2", "ridge"),
    "random": partial(search, Validation, "random", predictor("ridge"), draw="genes"),
    "nsga2": partial(search, Validation, "nsga2", predictor("ridge")),
    "additive": partial(search, Additive, "random", predictor("ridge")),
    "local_search": partial(search, Validation, PLS, predictor("ridge"), population=50),
    **RIVALS,
    # one part as in the paper, the others as by default
    "uniform_start": linas(without("start")),
    "one_hot": linas(without("features")),
    "spread": linas(without("choice")),
    "big_rounds": linas({"population": 50, "start_size": 50}),
    "nsga2_inside": linas({}, "nsga2"),
    "ridge": linas({}, predictors="ridge"),
    "stacked": linas({}, predictors="stacked"),
    # one part in another way
    "optimistic": linas({"optimism": 0.5}),
    "come_true": linas({"choice": "hypervolume", "optimism": 0.5}),
    "shared": linas({}, processes=("shared",)),
    "by_gene": linas({}, processes=("by_gene",)),
    "come_true+shared": linas({"choice": "hypervolume", "optimism": 0.5}, processes=("shared",)),
    # from the paper's setting on, one part more each
    "paper+masked_levels": linas(PAPER | {"features": "levels"}, "nsga2", "ridge"),
    "paper+levels+rounds": linas(PAPER | {"features": "levels", "population": 10, "start_size": 20}, "nsga2", "ridge"),
    "paper+levels+rounds+pls": linas(
        PAPER | {"features": "levels", "population": 10, "start_size": 20}, predictors="ridge"
    ),
    "paper+levels+rounds+pls+choice": linas(
        PAPER | {"features": "levels", "population": 10, "start_size": 20, "choice": "hypervolume"}, predictors="ridge"
    ),
}
COMPARED = ("dynas", "paper", "random", "nsga2", *RIVALS)


def run(name: str, method: str, seed: int, budget: int, folder: Path) -> None:
    """Make one search and keep its losses and CPU seconds, unless that was done before."""
    path = folder / f"{name}-{method}-{seed}-{budget}.npz"
    if path.exists():
        return
    landscape = kept(name)
    evaluate = evaluator(landscape, budget)
    started = time.process_time()
    METHODS[method](evaluate, seed)
    seconds = time.process_time() - started
    np.savez(path, losses=landscape.allowed(evaluate.measured), seconds=seconds)
    print(f"{path.stem}: {seconds:.1f} CPU s", flush=True)


def best_known(name: str, folder: Path) -> float:
    """Return the best hypervolume found by two searches on the landscape itself, computed once; 0 where it is slow."""
    if name in SLOW:
        return 0.0
    path = folder / f"{name}-best.npz"
    if not path.exists():
        landscape = kept(name)
        best = max(long_search(landscape, PLS, 500), long_search(landscape, "nsga2", 200))
        np.savez(path, hypervolume=best)
    return float(np.load(path)["hypervolume"])


def long_search(landscape: Landscape, algo: str, population: int, evaluations: int = 20_000) -> float:
    """Return the hypervolume of a search with the landscape's own values."""
    problem = landscape.problem
    inner = algorithm(algo, population=population)(problem.space, len(problem.objectives), np.random.default_rng(0))
    told: list[Values] = []
    while sum(map(len, told)) < evaluations and len(rows := inner.ask()):
        batch = make_batch(problem, rows, landscape.values(rows))
        inner.tell(batch)
        told.append(landscape.allowed(batch))
    return float(hypervolume_curve(np.concatenate(told), landscape.reference)[-1])


def curves(name: str, method: str, budget: int, folder: Path) -> tuple[Values, float]:
    """Return the hypervolume ``(runs, budget)`` of all kept runs of at least ``budget``, and their CPU seconds."""
    longest: dict[str, Path] = {}  # by seed
    for path in sorted(folder.glob(f"{name}-{method}-*.npz"), key=lambda one: int(one.stem.rsplit("-", 1)[1])):
        _, seed, length = path.stem.rsplit("-", 2)
        if int(length) >= budget:
            longest[seed] = path
    found, seconds = [], []
    for _, path in sorted(longest.items()):
        kept_run = np.load(path)
        curve = hypervolume_curve(kept_run["losses"], kept(name).reference)
        found.append(np.pad(curve, (0, max(0, budget - len(curve))), mode="edge")[:budget])
        seconds.append(float(kept_run["seconds"]))
    return np.array(found).reshape(-1, budget), float(np.mean(seconds)) if seconds else np.nan


def report(name: str, methods: list[str], budget: int, folder: Path) -> None:
    """Print a landscape's table, write it as CSV and draw its curves."""
    checkpoints = [n for n in CHECKPOINTS if n <= budget]
    shown = {method: curves(name, method, budget, folder) for method in methods}
    best = max(best_known(name, folder), *(runs.max(initial=0.0) for runs, _ in shown.values()))
    paper = shown.get("paper", (np.empty((0, budget)), 0.0))[0]
    target = paper.mean(axis=0)[-1] if len(paper) else np.inf
    header = ["method", "seeds", *(f"HV@{n}" for n in checkpoints), f"to paper@{budget}", "CPU s"]
    rows = []
    figure = new_figure(7, 4.5)
    axes = figure.add_subplot()
    for method, (runs, seconds) in shown.items():
        if not len(runs):
            continue
        mean = runs.mean(axis=0) / best
        error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs)) / best if len(runs) > 1 else np.full(budget, np.nan)
        hit = np.flatnonzero(mean * best >= target)
        cells = [f"{mean[n - 1]:.3f} ± {error[n - 1]:.3f}" for n in checkpoints]
        rows.append([method, str(len(runs)), *cells, str(hit[0] + 1) if len(hit) else "—", f"{seconds:.1f}"])
        axes.plot(np.arange(1, budget + 1), mean, label=method, linestyle="-" if len(rows) < 10 else "--")
    table = Table(*header, title=f"{name}: share of the best known hypervolume, {best:.5g}")
    for row in sorted(rows, key=lambda cells: cells[2 + min(2, len(checkpoints) - 1)], reverse=True):
        table.add_row(*row)
    Console(width=180).print(table)
    write_csv(folder / f"{name}.csv", header, rows)
    axes.set(xlim=(10, budget), ylim=(0, 1), xlabel="evaluations", ylabel="share of the best known hypervolume")
    axes.legend(fontsize=7)
    tidy(axes)
    save(figure, folder / f"{name}.png")


def main() -> None:
    """Run all searches that are missing, then report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landscapes", default=",".join(LANDSCAPES), help="comma-separated")
    parser.add_argument("--methods", default=",".join(COMPARED), help=f"comma-separated, of {', '.join(METHODS)}")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=350, help="evaluations per search")
    parser.add_argument("--report", action="store_true", help="only report what there is")
    parser.add_argument("--out", type=Path, default=Path("outputs/sample_efficiency"))
    arguments = parser.parse_args()
    names, methods = arguments.landscapes.split(","), arguments.methods.split(",")
    for what, given, table in (("landscape", names, LANDSCAPES), ("method", methods, METHODS)):
        if unknown := [one for one in given if one not in table]:
            parser.error(f"unknown {what} {unknown[0]}: choose from {', '.join(table)}")
    needed = {one: EXTRA[one] for one in methods if one in EXTRA and not arguments.report}
    if missing := [one for one, package in needed.items() if find_spec(package) is None]:
        parser.error(f"method {missing[0]} needs .venv/bin/pip install -e '.[bench]'; or leave it out of --methods")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in names if not arguments.report else ():
        for seed in range(arguments.seeds):
            for method in methods:
                run(name, method, seed, arguments.budget, arguments.out)
    for name in names:
        report(name, methods, arguments.budget, arguments.out)


if __name__ == "__main__":
    main()
