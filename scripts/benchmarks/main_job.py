"""Where the time of a search goes: the README's, or any other.

    python scripts/benchmarks/main_job.py                                        # the README's, three times
    python scripts/benchmarks/main_job.py --runs 1 supernet=ncf budget=60        # another one
    python scripts/benchmarks/main_job.py --trees . ../dynas_before --           # two checkouts, in turns

Arguments are overrides of ``dynas search``, which is started as a process that knows nothing from before
(``known=null``). Printed is a Markdown table, a row for each run and one of medians for each checkout: wall time from
the start of the process to its end, and what its activities took of it, in seconds. Starting is what comes before the
first measurement: imports, data, weights, and the reference for latencies. Two columns are parts of others: calibrating
of quality, by the threads that measure it, and confirming of extracting and timing. The last columns are the share of
wall time in which networks are computed or timed, and the most memory that the process held.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

README = ["supernet=mbv3", "algo=nsga2", "mode=linas"]
TIMED = ("latency", "throughput", "ttft", "tpot", "tokens_per_second")
COLUMNS = (
    "wall", "starting", "extracting", "quality", "calibrating", "timing", "fitting", "cross-validating", "predicting",
    "choosing", "confirming", "writing", "else", "networks [%]", "memory [MB]",
)  # fmt: skip
PARTS = ("calibrating", "confirming")  # of other columns


def run(tree: Path, overrides: list[str]) -> dict[str, float]:
    """Search once in a process of its own; return what each column has."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["search", *overrides, "known=null", f"hydra.run.dir={folder}"]
        code = "import sys; from dynas.cli import main; sys.exit(main())"
        begun, command = time.perf_counter(), [sys.executable, "-c", code, *arguments]
        job = subprocess.Popen(command, cwd=tree, stdout=subprocess.DEVNULL)  # whose dynas is imported
        _, status, used = os.wait4(job.pid, 0)
        wall = time.perf_counter() - begun
        if status:
            sys.exit(f"dynas {' '.join(arguments)} failed in {tree}")
        facts = json.loads((Path(folder) / "run.json").read_text())
    return split(facts, wall) | {"memory [MB]": used.ru_maxrss / 1024}


def split(facts: dict[str, Any], wall: float) -> dict[str, float]:
    """Return the seconds of each column, given run.json and the wall time of the process."""
    activities: dict[str, float] = facts.get("activities", {})

    def of(name: str) -> float:
        return activities.get(name, 0.0)

    measured = {what.split()[1]: seconds for what, seconds in activities.items() if what.startswith("measuring ")}
    timing = sum(seconds for name, seconds in measured.items() if name in TIMED)
    search, writing = facts["seconds"], of("writing tables and pictures")
    found = {
        "wall": wall,
        "starting": max(0.0, wall - search - writing),
        "extracting": of("extracting"),
        "quality": sum(measured.values()) - timing,
        "calibrating": of("calibrating") / torch.get_num_threads(),
        "timing": timing,
        "fitting": of("training predictors"),
        "cross-validating": of("cross-validating predictors"),
        "predicting": of("searching predictions"),
        "choosing": of("choosing"),
        "confirming": of("confirming"),
        "writing": writing,
    }
    found["else"] = wall - sum(seconds for name, seconds in found.items() if name not in ("wall", *PARTS))
    found["networks [%]"] = 100 * (found["quality"] + timing) / wall
    return found


def main() -> None:
    """Run the search and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="searches in each checkout")
    parser.add_argument("--trees", type=Path, nargs="+", default=[Path(__file__).parents[2]], help="checkouts")
    parser.add_argument("overrides", nargs="*", help="of dynas search; the README's where none are given")
    arguments = parser.parse_args()
    overrides = arguments.overrides or README
    found: dict[Path, list[dict[str, float]]] = {tree: [] for tree in arguments.trees}
    print("| checkout, run | " + " | ".join(COLUMNS) + " |\n" + "| --- " + "| ---: " * len(COLUMNS) + "|")
    for number in range(arguments.runs):
        for tree in arguments.trees:
            found[tree].append(run(tree.resolve(), overrides))
            show(f"{tree}, {number + 1}", found[tree][-1])
    for tree, rows in found.items():
        show(f"{tree}, median", {name: statistics.median(row[name] for row in rows) for name in COLUMNS})


def show(name: str, row: dict[str, float]) -> None:
    """Print one row."""
    print(f"| {name} | " + " | ".join(f"{row[column]:.1f}" for column in COLUMNS) + " |", flush=True)


if __name__ == "__main__":
    main()
