"""Simulate searches with many workers: what they save in time, and what rounds of more candidates cost in evaluations.

    python scripts/benchmarks/workers.py [--workers 1,4,16] [--rounds fixed,workers,asynchronous] [--seconds 10]

Real searches on the landscape `note10` (landscapes.py): the search itself computes, and its processor time passes on a
simulated clock on which evaluations take time, too: --seconds on average, in proportion to a sub-network's latency, and
--latency further seconds on the one device that all share. Every finished run is kept in --out. Prints means over
seeds; --picture draws hypervolume over evaluations and over time.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Values
from dynas.core.pareto import hypervolume_curve
from dynas.core.space import Genotypes
from dynas.modes.linas import Linas
from dynas.predictors.named import predictor
from dynas.report.plots.figure import new_figure, save, tidy
from landscape import Landscape
from landscapes import kept
from sample_efficiency import best_known, search
from simulated import SimulatedWorkers

NAME = "note10"
AIM = 0.95  # of the best known hypervolume


def quality_seconds(landscape: Landscape, mean: float, genotypes: Genotypes) -> Values:
    """Return how long each candidate ``(n, G)`` takes: in proportion to its latency, ``mean`` for a middling one."""
    problem = landscape.problem
    column = [one.name for one in problem.objectives].index("latency")
    middle = landscape.values(problem.space.sample_distinct(200, np.random.default_rng(0)))[:, column].mean()
    return np.asarray(mean * landscape.values(genotypes)[:, column] / middle)


def run(given: argparse.Namespace, workers: int, rounds: str, seed: int) -> Path:
    """Make one search and keep hypervolume and time after each evaluation, unless that was done before."""
    sizes = f"{workers}-{rounds}-{given.seconds:g}-{given.latency:g}-{given.predictor}-{given.budget}-{seed}"
    path = Path(given.out / f"{sizes}.npz")
    if path.exists():
        return path
    landscape = kept(NAME)
    pool = SimulatedWorkers(
        landscape.measure, workers, lambda rows: quality_seconds(landscape, given.seconds, rows), given.latency,
        given.overhead,
    )  # fmt: skip
    evaluate = Evaluator(landscape.problem, pool, given.budget)
    search(lambda: Linas(rounds=rounds), "pareto_local_search", predictor(given.predictor), evaluate, seed)
    curve = hypervolume_curve(landscape.allowed(evaluate.measured), landscape.reference)
    busy = float(quality_seconds(landscape, given.seconds, evaluate.measured.genotypes).sum()) / (workers * pool.now)
    np.savez(path, curve=curve, done=np.sort(pool.done_at), searching=pool.searching, end=pool.now, busy=busy)
    return path


def main() -> None:
    """Make what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="1,4,16")
    parser.add_argument("--rounds", default="fixed,workers,asynchronous")
    parser.add_argument("--seconds", type=float, default=10.0, help="of a middling evaluation")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds of each on the one device that all share")
    parser.add_argument("--overhead", type=float, default=0.005, help="seconds of the main process per candidate")
    parser.add_argument("--predictor", default="gp")
    parser.add_argument("--budget", type=int, default=350)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("outputs/workers"))
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    best = best_known(NAME, given.out)
    table = Table(title=f"{given.budget} evaluations of {given.seconds:g} s, {given.seeds} seeds")
    columns = ("workers", "rounds", "hypervolume", "end [s]", "speed-up", "searching [s]", "busy")
    for column in (*columns, f"evaluations to {AIM:g}", f"seconds to {AIM:g}"):
        table.add_column(column, justify="right")
    series: dict[str, list[tuple[Values, Values]]] = {}
    alone = None
    for workers in map(int, given.workers.split(",")):
        for rounds in given.rounds.split(","):
            if workers == 1 and rounds != "fixed":  # the same, or rounds of one
                continue
            runs = [np.load(run(given, workers, rounds, seed)) for seed in range(given.seeds)]
            end = mean(runs, "end")
            alone = alone or end
            final = np.mean([one["curve"][-1] for one in runs]) / best
            facts = f"{final:.3f}", f"{end:.0f}", f"{alone / end:.1f}", f"{mean(runs, 'searching'):.0f}"
            table.add_row(str(workers), rounds, *facts, f"{mean(runs, 'busy'):.0%}", *reached(runs, AIM * best))
            series[f"{workers} {rounds}"] = [(one["done"], one["curve"] / best) for one in runs]
    Console(width=140).print(table)
    if given.picture:
        draw(series, given.picture)


def mean(runs: list[Any], name: str) -> float:
    """Return the mean of a number over runs."""
    return float(np.mean([one[name] for one in runs]))


def reached(runs: list[Any], aim: float) -> tuple[str, str]:
    """Return the mean number of evaluations and of seconds after which runs reach ``aim``, "-" if one does not."""
    if any(one["curve"][-1] < aim for one in runs):
        return "-", "-"
    rows = [int(np.argmax(one["curve"] >= aim)) for one in runs]
    seconds = [float(one["done"][row]) for one, row in zip(runs, rows, strict=True)]
    return f"{np.mean(rows) + 1:.0f}", f"{np.mean(seconds):.0f}"


def draw(series: dict[str, list[tuple[Values, Values]]], path: Path) -> None:
    """Draw the mean hypervolume over evaluations and over time."""
    figure = new_figure(10, 4)
    left, right = figure.subplots(1, 2)
    marks = ("-", "--", ":", "-.")
    names = list(dict.fromkeys(name.split()[1] for name in series))
    workers = list(dict.fromkeys(name.split()[0] for name in series))
    for name, runs in series.items():
        count, rounds = name.split()
        style = {"color": f"C{workers.index(count)}", "linestyle": marks[names.index(rounds)], "label": name}
        mean = np.mean([curve for _, curve in runs], axis=0)
        left.plot(np.arange(1, len(mean) + 1), mean, **style)
        right.plot(np.mean([done for done, _ in runs], axis=0) / 60, mean, **style)
    left.set(xlabel="evaluations", ylabel="hypervolume, share of the best known", ylim=(0.6, 1))
    right.set(xlabel="time [min]", xscale="log", ylim=(0.6, 1))
    right.legend(title="workers, rounds", fontsize="small")
    for axes in (left, right):
        tidy(axes)
    save(figure, path)


if __name__ == "__main__":
    main()
