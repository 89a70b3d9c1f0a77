"""Measures run folders of 1,000 and of 100,000 evaluations: appending, going on, hypervolume, report.

Times are CPU seconds, but for that with the disk.

usage: scripts/benchmarks/results_at_size.py [EVALUATIONS ...]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from dynas import Objective
from dynas.core.evaluation import Evaluation, Measurement
from dynas.runs.hypervolume import reference_point, volumes
from dynas.runs.load import load_run
from dynas.runs.record import write_run
from dynas.runs.store import RunStore
from dynas.supernets.mbv3 import search_space

SPACE = search_space()
OBJECTIVES = (Objective("top1", "max", "%"), Objective("latency", "min", "ms"))
EXTRAS = ("latency_p10 [ms]", "latency_p90 [ms]", "latency_repeats [runs]", "latency_drift [%]", "latency_quality")
LAST = 500  # appended rows whose time counts
T = TypeVar("T")


@contextlib.contextmanager
def unsynced() -> Iterator[None]:
    """Let files reach the disk when they like."""
    fsync, os.fsync = os.fsync, lambda fd: None
    try:
        yield
    finally:
        os.fsync = fsync


def timed(function: Callable[[], T]) -> tuple[T, float]:
    """Return what a function returns, and the CPU seconds of this process and its children."""
    before = busy()
    result = function()
    return result, busy() - before


def busy() -> float:
    """Return the CPU seconds of this process and its children so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def evaluations(n: int) -> list[Evaluation]:
    """Return ``n`` evaluations of distinct sub-networks with a noisy trade-off, in iterations of 10."""
    rng = np.random.default_rng(0)
    genotypes = SPACE.sample_distinct(n, rng)
    latency = 5 + 20 * rng.random(n)
    top1 = 60 + 10 * np.sqrt(latency / 25) + rng.normal(0, 1, n)
    extras = dict.fromkeys(EXTRAS[:-1], 1.0) | {"latency_quality": "ok"}
    return [
        Evaluation(
            index + 1, 1 + index // 10, SPACE.key(row), row, Measurement(values, extras, 0.5), "2026-01-01T00:00"
        )
        for index, (row, values) in enumerate(
            zip(genotypes, zip(top1.tolist(), latency.tolist(), strict=True), strict=True)
        )
    ]


def append(store: RunStore, rows: list[Evaluation]) -> None:
    """Write rows."""
    for row in rows:
        store.append(row)


def report(folder: Path, *more: str) -> tuple[float, float]:
    """Return seconds and peak megabytes of ``dynas report`` in a process of its own."""
    code = (
        "import sys; from dynas.cli import main; status = main(sys.argv[1:]); "
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr); sys.exit(status)"
    )
    words = [sys.executable, "-c", code, "report", str(folder), "--format", "json", *more]
    done, seconds = timed(lambda: subprocess.run(words, capture_output=True, text=True, check=True))
    return seconds, int(done.stderr.split()[-1]) / 1024


def measure(n: int, folder: Path) -> dict[str, float]:
    """Return what a run of ``n`` evaluations costs."""
    rows = evaluations(n)
    store = RunStore(folder, SPACE, OBJECTIVES, EXTRAS)
    with unsynced():  # only the last rows count
        append(store, rows[: -LAST - 1])
    append(store, rows[-LAST - 1 : -LAST])  # and with it all that was left open
    start = time.perf_counter()
    _, appending = timed(lambda: append(store, rows[-LAST:]))
    waited = time.perf_counter() - start
    store.close()
    facts = {"status": "finished", "choices": {}, "seed": 0, "budget": n, "overrides": []}
    write_run(folder, facts | {"objectives": [vars(objective) for objective in OBJECTIVES]})
    again, opening = timed(lambda: RunStore(folder, SPACE, OBJECTIVES, EXTRAS))
    again.close()
    run, reading = timed(lambda: load_run(folder))
    _, curve = timed(lambda: volumes(run, reference_point([run])))
    shown, memory = report(folder)
    page, _ = report(folder, "--html", str(folder / "page.html"))
    return {
        "append [ms a row]": 1000 * appending / LAST,
        "append with the disk [ms a row]": 1000 * waited / LAST,
        "open to go on [s]": opening,
        "read for a report [s]": reading,
        "hypervolume curve [s]": curve,
        "dynas report [s]": shown,
        "dynas report --html [s]": page,
        "peak memory of dynas report [MB]": memory,
        "peak memory of this process [MB]": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "results.csv [MB]": (folder / "results.csv").stat().st_size / 1e6,
    }


def main() -> None:
    """Measure and print a table, with the ratio of the last column to the first."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("evaluations", nargs="*", type=int, default=[1_000, 100_000])
    sizes = parser.parse_args().evaluations
    with tempfile.TemporaryDirectory() as folder:
        columns = [measure(n, Path(folder) / str(n)) for n in sizes]
    print(f"{'':36}" + "".join(f"{n:>12,}" for n in sizes) + f"{'ratio':>9}")
    for name in columns[0]:
        cells = [column[name] for column in columns]
        print(f"{name:36}" + "".join(f"{cell:12.3f}" for cell in cells) + f"{cells[-1] / cells[0]:9.1f}")
    print(json.dumps(columns))


if __name__ == "__main__":
    main()
