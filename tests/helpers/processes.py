"""Searches as processes that can be killed and interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.helpers.cli import ROOT, read_rows

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
SURROGATE = (
    *("search", "supernet=mbv3", "data=imagenet_surrogate", "hardware=note10", "hydra.run.dir=run"),
    *("budget=40", "mode.predicted_evaluations=300"),
)


def start(*words: str, cwd: Path = ROOT) -> subprocess.Popen[str]:
    """Start a process that hears of Ctrl-C, even where the tests themselves run in the background.

    It has a group of its own, so that all that it starts can be killed with it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            words, cwd=cwd, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)


def kill(child: subprocess.Popen[str]) -> bool:
    """Kill a process and all of its group without warning; return whether it was still running."""
    running = child.poll() is None
    if running:
        os.killpg(child.pid, signal.SIGKILL)
    _, errors = child.communicate()
    assert running or child.returncode == 0, errors
    return running


def wait_until(reached: Callable[[], bool], child: subprocess.Popen[str], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while child.poll() is None and time.monotonic() < deadline and not reached():
        time.sleep(0.005)


def interrupt(child: subprocess.Popen[str], results: Path) -> tuple[str, str]:
    """Press Ctrl-C once a search has measured something; return what it printed and its errors."""
    wait_until(lambda: lines(results) >= 3, child)
    child.send_signal(signal.SIGINT)
    printed, errors = child.communicate(timeout=120)
    assert child.returncode == 130, errors
    assert "Traceback" not in errors
    return printed, errors


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def results(folder: Path) -> list[dict[str, str]]:
    """Return the rows without what differs between any two runs."""
    return [{**row, "seconds [s]": "", "timestamp": ""} for row in read_rows(folder)]


def one_sentence(errors: str) -> bool:
    """Return whether a command has complained as it should."""
    told = [line for line in errors.splitlines() if not line.startswith("dynas: warning: ")]
    return len(told) == 1 and told[0].startswith("dynas: ")
