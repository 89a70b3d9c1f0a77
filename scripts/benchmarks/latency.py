"""Measure how well two latency measurements of the same sub-networks agree while another program comes and goes.

    python scripts/benchmarks/latency.py [--subnets 30] [--noise 1] [--quiet-first]

Random sub-networks of the embedded mbv3 are measured in two passes, beside ``--noise`` processes that multiply
matrices for a while and rest for a while; with --quiet-first, the first pass is without them. Each pass is made with
our meter (its defaults) and by DyNAS-T's protocol: one sub-network after the other, the mean of 50 timings after 10
warm-ups. Prints Kendall's tau between the passes, the median relative difference, and the seconds per sub-network.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is imported, as the commands do

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from rich.console import Console
from rich.table import Table
from scipy.stats import kendalltau
from torch import nn

from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.core.bench import Bench
from dynas.core.objectives import Values
from dynas.metrics.latency import time_all
from dynas.system.folders import CONFIGS

NOISE = """
import random, sys, time, torch
torch.set_num_threads(1)
draw, matrix = random.Random(int(sys.argv[1])), torch.randn(700, 700)
while True:
    end = time.monotonic() + draw.uniform(0.5, 6)
    while time.monotonic() < end:
        matrix @ matrix
    time.sleep(draw.uniform(0.5, 6))
"""
Protocol = Callable[[Sequence[nn.Module], Bench], Values]


@contextmanager
def noise(processes: int) -> Iterator[None]:
    """Keep the machine busy, now and then, with as many processes."""
    busy = [subprocess.Popen([sys.executable, "-c", NOISE, str(seed)]) for seed in range(processes)]
    try:
        time.sleep(3 if busy else 0)  # until torch is imported
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


GROUP = 5  # sub-networks that are measured together, as in a search


def ours(subnets: Sequence[nn.Module], bench: Bench) -> Values:
    """Return the latencies ``(n,)`` that a search would write, group by group."""
    groups = [subnets[start : start + GROUP] for start in range(0, len(subnets), GROUP)]
    timings = [timing for group in groups for timing in time_all(group, bench, bench.meter.batch_size)]
    quality = [timing.quality for timing in timings]
    print({word: quality.count(word) for word in sorted(set(quality))}, "repeats", [one.repeats for one in timings])
    return np.array([timing.median_ms for timing in timings])


def predecessors(subnets: Sequence[nn.Module], bench: Bench) -> Values:
    """Return the latencies ``(n,)`` by DyNAS-T's protocol."""
    latencies = []
    with torch.inference_mode():
        for module, inputs in bench.to_time(subnets, bench.meter.batch_size):
            for _ in range(10):
                module(*inputs)
            start = time.perf_counter()
            for _ in range(50):
                module(*inputs)
            latencies.append(1e3 * (time.perf_counter() - start) / 50)
    return np.array(latencies)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subnets", type=int, default=30, help="sub-networks")
    parser.add_argument("--noise", type=int, default=1, help="processes that come and go")
    parser.add_argument("--quiet-first", action="store_true", help="no such processes in the first pass")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        problem, measurer = build_problem(compose("search", overrides=["objectives=latency"]))
    genotypes = problem.space.sample_distinct(arguments.subnets, np.random.default_rng(0))
    bench = measurer.bench
    subnets = [bench.deployed(genotype) for genotype in genotypes]
    print("reference at first:", measurer.watch_reference(), "ms")
    protocols: dict[str, Protocol] = {"dynas": ours, "mean of 50": predecessors}
    passes: dict[str, list[Values]] = {name: [] for name in protocols}
    seconds = dict.fromkeys(protocols, 0.0)
    for processes in (0 if arguments.quiet_first else arguments.noise, arguments.noise):
        with noise(processes):
            for name, protocol in protocols.items():
                start = time.perf_counter()
                passes[name].append(protocol(subnets, bench))
                seconds[name] += time.perf_counter() - start
                print(f"{name}, {processes} busy: {seconds[name]:.1f} s, load {os.getloadavg()[0]:.1f}", flush=True)
    table = Table("protocol", "Kendall tau", "median difference %", "s per sub-network", "median ms")
    for name, (first, second) in passes.items():
        tau, apart = kendalltau(first, second).statistic, 100 * np.median(np.abs(second / first - 1))
        each = seconds[name] / (2 * len(subnets))
        table.add_row(name, f"{tau:.3f}", f"{apart:.2f}", f"{each:.2f}", f"{np.median(first):.2f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
