"""Show what the meter's settings cost and bring: seconds per sub-network, and how well two passes agree.

    python scripts/benchmarks/latency_curve.py [--subnets 20] [--rounds 40] [--noise 1]

Random sub-networks of the embedded mbv3 are timed in two passes, so many rounds each, beside ``--noise`` processes that
come and go (see latency.py). When each setting would have stopped, and what it would have said, is read off these same
timings: all settings meet the same machine. Rules differ in one setting from the defaults, or in the statistic that is
taken of a sub-network's timings.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from rich.console import Console
from rich.table import Table
from scipy.stats import kendalltau

from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.core.objectives import Values
from dynas.hardware.interleaved import InterleavedRounds, Taken
from dynas.hardware.latency import TimingMeter
from dynas.system.folders import CONFIGS
from latency import GROUP, noise

STATISTICS: dict[str, Callable[[Values], float]] = {
    "median": lambda times: float(np.median(times)),
    "quarter": lambda times: float(np.quantile(times, 0.25)),
    "least": lambda times: float(np.min(times)),
}
CHANGES: tuple[dict[str, Any], ...] = (
    {},
    *({"tolerance": share} for share in (0.01, 0.05, 0.1)),
    *({"min_repeats": least} for least in (3, 4, 8, 16)),
    *({"max_seconds": seconds} for seconds in (0.5, 1.0)),
    *({"min_repeats": repeats, "max_repeats": repeats} for repeats in (4, 8, 16, 32)),
)


def stopped(taken: Taken, rounds: InterleavedRounds) -> Taken:
    """Return the part of a recording after which a rule says that it is enough, or all of it."""
    each = taken.seconds / len(taken.timings)
    parts = (Taken(taken.timings[:n], taken.paces[:n], n * each) for n in range(1, len(taken.timings) + 1))
    return next((part for part in parts if rounds.done(part)), taken)


def main() -> None:
    """Record two passes and print a row per rule and statistic."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subnets", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--noise", type=int, default=1, help="processes that come and go")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        problem, measurer = build_problem(compose("search", overrides=["objectives=latency"]))
    bench, meter = measurer.bench, measurer.bench.meter
    assert isinstance(meter, TimingMeter)
    default = meter.rounds
    meter.rounds = replace(default, min_repeats=arguments.rounds, max_repeats=arguments.rounds)
    genotypes = problem.space.sample_distinct(arguments.subnets, np.random.default_rng(0))
    print("reference at first:", measurer.watch_reference(), "ms")
    passes: list[list[Taken]] = []
    wall = 0.0
    for _ in range(2):
        recorded: list[Taken] = []
        with noise(arguments.noise):
            for start in range(0, len(genotypes), GROUP):
                pairs = bench.to_time([bench.deployed(row) for row in genotypes[start : start + GROUP]], 32)
                with meter.conditions():
                    samplers = [meter.sampler(*pair) for pair in pairs]
                    begun = time.perf_counter()
                    recorded += meter.rounds(samplers, meter._reference, meter.first_ms or 1.0)
                    wall += time.perf_counter() - begun
        passes.append(recorded)
    share = wall / sum(one.seconds for recorded in passes for one in recorded)  # of the reference and warming up
    table = Table("rule", "of the timings", "s per sub-network", "repeats", "Kendall tau", "median difference %")
    for change in CHANGES:
        rounds = replace(default, **change)
        parts = [[stopped(one, rounds) for one in recorded] for recorded in passes]
        seconds = share * np.mean([[one.seconds for one in part] for part in parts])
        repeats = np.mean([[len(one.timings) for one in part] for part in parts])
        for name, statistic in STATISTICS.items():
            first, second = (np.array([statistic(one.times) for one in part]) for part in parts)
            tau, apart = kendalltau(first, second).statistic, 100 * np.median(np.abs(second / first - 1))
            rule = ", ".join(f"{key}={value:g}" for key, value in change.items()) or "the defaults"
            table.add_row(rule, name, f"{seconds:.2f}", f"{repeats:.1f}", f"{tau:.3f}", f"{apart:.2f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
