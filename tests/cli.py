"""Runs the command line as a user does: in a process of its own."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
QUICK = (
    "objectives=[top1,macs]",
    "budget=12",
    "mode.population=6",
    "algo.population=6",
    "mode.predicted_evaluations=300",
    "data.validation_size=100",
    "data.calibration_size=50",
)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dynas.cli", *arguments]


def dynas(*arguments: str, cwd: Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    return subprocess.run(
        command(*arguments), cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


def read_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))
