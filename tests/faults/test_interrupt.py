"""Ctrl-C: a clean stop wherever it comes, and a second one."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from dynas.runs.load import load_run
from tests.helpers.cli import command, dynas
from tests.helpers.devices import ALL, CONFIGS, SEARCH, write_devices
from tests.helpers.processes import SURROGATE, lines, results, start, wait_until

pytestmark = pytest.mark.slow


def status(folder: Path) -> str:
    path = folder / "run.json"
    return str(json.loads(path.read_text())["status"]) if path.exists() else ""


def test_while_the_front_is_confirmed(tmp_path: Path) -> None:
    folder = write_devices(tmp_path / "own")
    slow = ("hardware.noise=0.2", "hardware.pause=0.1", "together=1")
    child = start(*command("search", *CONFIGS, *SEARCH, *ALL, *slow, "hydra.run.dir=run"), cwd=folder)
    wait_until(lambda: lines(folder / "run" / "confirmed.csv") > 2, child)
    child.send_signal(signal.SIGINT)
    printed, errors = child.communicate(timeout=120)
    assert child.returncode == 130, errors
    assert "Traceback" not in errors
    assert "go on with: dynas search resume=" in printed
    assert status(folder / "run") == "interrupted"
    assert (folder / "run" / "front.csv").exists()
    before = (folder / "run" / "confirmed.csv").read_text()
    resumed = dynas("search", *CONFIGS, "resume=run", cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    assert (folder / "run" / "confirmed.csv").read_text().startswith(before)
    run = load_run(folder / "run")
    assert (run.again[run.front] == 2).all()


def test_while_predictors_are_trained_and_once_more_while_the_front_is_written(whole: Path, tmp_path: Path) -> None:
    child = start(*command(*SURROGATE), cwd=tmp_path)
    folder = tmp_path / "run"
    wait_until(lambda: lines(folder / "results.csv") > 20, child)  # the first iteration has 20
    child.send_signal(signal.SIGINT)
    wait_until(lambda: status(folder) == "interrupted", child)
    time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=120)
    # Python ends by the signal, even if it was handled, where it came within exec() of a string, as dataclasses use;
    # a shell calls both 130
    assert child.returncode in (130, -signal.SIGINT), errors
    assert "Traceback" not in errors
    assert status(folder) == "interrupted"
    assert 20 <= lines(folder / "results.csv") - 1 < 40
    resumed = dynas("search", "resume=run", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert results(folder) == results(whole)
