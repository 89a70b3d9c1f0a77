"""Ctrl-C and SIGTERM: a clean stop wherever they come, and a second one."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from dynas.runs.load import load_run
from tests.helpers.cli import command, dynas, printed_command
from tests.helpers.devices import ALL, CONFIGS, SEARCH, write_devices
from tests.helpers.process_tree import alive, descendants
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
    assert "go on with: dynas search --config-dir configs resume=" in printed
    assert status(folder / "run") == "interrupted"
    assert (folder / "run" / "front.csv").exists()
    before = (folder / "run" / "confirmed.csv").read_text()
    resumed = dynas(*printed_command(printed, "go on with: "), cwd=folder)
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
    assert child.returncode == 130, errors
    assert "Traceback" not in errors
    assert status(folder) == "interrupted"
    assert 20 <= lines(folder / "results.csv") - 1 < 40
    resumed = dynas("search", "resume=run", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert results(folder) == results(whole)


ENDED = {
    "train": (
        (
            *("train", "supernet=ncf", "data.negatives=1"),
            *("supernet.embed_dims=[8,16]", "supernet.hidden_sizes=[8,16]", "recipe.epochs=500", "hydra.run.dir=run"),
        ),
        "run/checkpoint.pt",
        "go on with: dynas train resume=",
    ),
    "lut build": (
        (
            *("lut", "build", "table=table.csv", "hardware.batch_size=1", "hardware.warmup=0", "together=2"),
            *("hardware.min_repeats=2", "hardware.max_repeats=2"),
        ),
        "table.csv",
        "the same command goes on with 'table.csv'",
    ),
    "sweep": (
        ("search", "-m", *SURROGATE[1:-3], "mode=validation", "algo=random", "budget=4000", "seed=1,2")
        + ("hydra.sweep.dir=sweep",),
        "sweep/0/results.csv",
        "go on with: dynas search resume=sweep",
    ),
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("name", ENDED)
def test_sigterm_ends_a_command_as_ctrl_c_does(name: str, tmp_path: Path) -> None:
    words, begun, goes_on = ENDED[name]
    child = start(*command(*words), cwd=tmp_path)
    wait_until((tmp_path / begun).exists, child)
    child.send_signal(signal.SIGTERM)
    printed, errors = child.communicate(timeout=120)
    assert child.returncode == 143, errors
    assert "Traceback" not in errors
    assert goes_on in printed
    assert not (tmp_path / "sweep" / "1").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_sigterm_to_all_processes_of_a_job_ends_it_and_its_workers_and_a_second_one_tears_nothing(
    tmp_path: Path,
) -> None:
    workers = ("executor=processes", "executor.workers=2", "mode=validation", "algo=random", "budget=4000")
    child = start(*command(*SURROGATE[:-2], *workers), cwd=tmp_path)
    folder = tmp_path / "run"
    wait_until(lambda: lines(folder / "results.csv") > 20, child)
    beneath = descendants(child.pid)
    os.killpg(child.pid, signal.SIGTERM)  # as batch systems do
    wait_until(lambda: status(folder) == "interrupted", child)
    os.killpg(child.pid, signal.SIGTERM)
    _, errors = child.communicate(timeout=120)
    assert child.returncode == 143, errors
    assert "Traceback" not in errors
    assert len(beneath) >= 2
    deadline = time.monotonic() + 20
    while any(map(alive, beneath)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, beneath))
    run = load_run(folder)
    assert len(run) >= 20
    assert run.measured.all(), "no worker has died of the signal"
    assert status(folder) == "interrupted"
