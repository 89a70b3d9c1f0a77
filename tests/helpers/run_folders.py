"""Small run folders for the tests of reports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dynas.runs.load import Run, load_run
from dynas.runs.record import write_run
from dynas.system.files import number, write_csv

TOP1 = {"name": "top1", "direction": "max", "unit": "%", "bound": None, "exact": False}
LATENCY = {"name": "latency", "direction": "min", "unit": "ms", "bound": None, "exact": False}
MACS = {"name": "macs", "direction": "min", "unit": "MAC", "bound": None, "exact": True}
CHOICES = {
    "supernet": "mbv3", "algo": "nsga2", "mode": "linas", "predictor": "ridge", "hardware": "cpu",
    "data": "fashion_mnist",
}  # fmt: skip
NAN = float("nan")

# reference (80 %, 10 ms): (88, 4) dominates 8 x 6 = 48; (90, 8) adds 2 x 2 = 4
# | top1 | latency | hypervolume |
# |   80 |      10 |           0 |
# |   88 |       4 |          48 |
# |  nan |     nan |          48 |
# |   85 |       6 |          48 |
# |   90 |       8 |          52 |
FIVE = [(80, 10), (88, 4), (NAN, NAN), (85, 6), (90, 8)]
FIVE_CURVE = [0, 48, 48, 48, 52]


def write_search(
    folder: Path,
    values: Sequence[Sequence[float]],
    objectives: Sequence[dict[str, Any]] = (TOP1, LATENCY),
    *,
    choices: dict[str, str] | None = None,
    **facts: Any,
) -> Path:
    """Write a run folder as a search would: ``values`` has one row per evaluation, two per iteration."""
    folder.mkdir(parents=True)
    header = ["index", "iteration", "key", *(f"{one['name']} [{one['unit']}]" for one in objectives)]
    header += ["latency_p10 [ms]", "seconds [s]", "timestamp", "error", "architecture"]
    rows = []
    for index, row in enumerate(values):
        error = "" if all(value == value for value in row) else 'RuntimeError: "too, large"'
        architecture = json.dumps({"ks": [3, 5, 7, 3 + index % 3], "width": [512, 512, 640], "d": index})
        cells = [index + 1, index // 2 + 1, f"ks012{index % 3}-d{index}", *map(number, row)]
        rows.append([*cells, "", 0.5, "2026-11-24T07:00:00.000+00:00", error, architecture])
    write_csv(folder / "results.csv", header, rows)
    config = {"mode": {"population": 50}, "data": {"source": "embedded"}, "hardware": {"threads": 1}}
    described = {
        "status": "finished", "choices": CHOICES | (choices or {}), "seed": 0, "budget": len(values),
        "objectives": list(objectives), "config": config, "machine": {"cpu": "a processor"},
    }  # fmt: skip
    write_run(folder, described | facts)
    return folder


def search(folder: Path, *arguments: Any, **facts: Any) -> Run:
    """Write a run folder and read it back."""
    return load_run(write_search(folder, *arguments, **facts))
