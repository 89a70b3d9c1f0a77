"""Compare measuring by two workers with measuring in one process: speed-up, overhead, start, and a killed worker.

    python scripts/benchmarks/executors.py [--candidates 40] [--executors serial,processes,dask,ray]

Top-1 and MACs of random sub-networks of the embedded MobileNetV3, in groups of 5 with one thread each, after everything
was started; then the same with a worker that is killed meanwhile; then MACs alone, which cost next to nothing, one
candidate at a time. All in one run, so that they meet the same machine; prints seconds and ratios.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

os.environ["OMP_NUM_THREADS"] = "1"

from hydra import compose, initialize_config_dir

from dynas.compose.build import build
from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.core.executor import Executor, measured
from dynas.core.space import Genotypes
from dynas.system.folders import CONFIGS


def seconds(executor: Executor, genotypes: Genotypes) -> float:
    """Return how long it takes until all genotypes ``(n, G)`` are answered."""
    started = time.perf_counter()
    assert len(list(measured(executor, genotypes))) == len(genotypes)
    return time.perf_counter() - started


def seconds_with_a_loss(executor: Executor, genotypes: Genotypes) -> float:
    """Return the same where a worker is killed after the first answer."""
    started = time.perf_counter()
    answers = measured(executor, genotypes)
    next(answers)
    os.kill(busiest(), signal.SIGKILL)
    assert len(list(answers)) == len(genotypes) - 1
    return time.perf_counter() - started


def busiest() -> int:
    """Return the process beneath this one that computes most."""

    def spent(pid: int) -> int:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rsplit(")", 1)[1].split()[11])

    before = {pid: spent(pid) for pid in descendants(os.getpid())}
    time.sleep(0.3)
    return max(before, key=lambda pid: spent(pid) - before[pid])


def descendants(pid: int) -> Sequence[int]:
    """Return all processes beneath one."""
    found: list[int] = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            for child in map(int, file.read().split()):
                found += [child, *descendants(child)]
    return found


def main() -> None:
    """Print one row per executor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=40)
    parser.add_argument("--executors", default="serial,processes,dask,ray")
    given = parser.parse_args()
    register()
    table = Table(title=f"{given.candidates} candidates, 2 workers")
    for column in ("executor", "start [s]", "top-1 [s]", "speed-up", "with a loss [s]", "overhead [ms each]"):
        table.add_column(column, justify="right")
    alone = None
    for name in given.executors.split(","):
        workers = [] if name == "serial" else ["executor.workers=2"]
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            config = compose("search", overrides=["objectives=[top1,macs]", f"executor={name}", *workers])
            _, measurer = build_problem(config)
            make: Any = partial(build(config, "executor"), values=2)
        rows = measurer.bench.supernet.space.sample_distinct(2 * given.candidates + 2, np.random.default_rng(0))
        started = time.perf_counter()
        executor = make(measurer.measure, 5)
        seconds(executor, rows[:2])
        start = time.perf_counter() - started
        took = seconds(executor, rows[2 : 2 + given.candidates])
        alone = alone or took
        lost = None if name == "serial" else seconds_with_a_loss(executor, rows[2 + given.candidates :])
        executor.close()
        executor = make(measurer.only(["macs"]).measure, 1)
        seconds(executor, rows[:2])
        each = seconds(executor, rows) / len(rows)
        executor.close()
        table.add_row(
            name, f"{start:.1f}", f"{took:.1f}", f"{alone / took:.2f}", "-" if lost is None else f"{lost:.1f}",
            f"{1000 * each:.2f}",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
