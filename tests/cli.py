"""Runs the command line as a user does: in a process of its own."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
QUICK = (
    "objectives=[top1,macs]",
    "budget=12",
    "mode.start_size=6",
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


def killed(*arguments: str, cwd: Path, once: Path, timeout: float = 300) -> None:
    """Start a command and kill it as soon as a file exists."""
    child = subprocess.Popen(
        command(*arguments), cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + timeout
    while child.poll() is None and time.monotonic() < deadline and not once.exists():
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()


def read_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))
