"""The command line with several workers."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynas.cli import main
from tests.helpers.cli import dynas
from tests.helpers.process_tree import alive, descendants

pytestmark = pytest.mark.slow

FAST = [
    *("supernet=mbv3", "objectives=[top1,macs]", "data.validation_size=100", "data.calibration_size=50"),
    *("mode.start_size=8", "mode.population=4", "algo.population=4", "mode.predicted_evaluations=300"),
]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="") as file:
        found = sorted(csv.DictReader(file), key=lambda row: int(row["index"]))
    return [{key: value for key, value in row.items() if key not in ("seconds [s]", "timestamp")} for row in found]


def run(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dynas.cli", "search", *FAST, f"hydra.run.dir={folder}", *arguments]
    return subprocess.Popen(
        command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_workers_give_what_one_process_gives(tmp_path: Path) -> None:
    several = run(tmp_path / "several", "budget=16", "executor=processes", "executor.workers=2", "executor.threads=1")
    alone = dynas("search", *FAST, "budget=16", "hydra.run.dir=alone", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    _, errors = several.communicate(timeout=300)
    assert several.returncode == 0, errors
    assert len(rows(tmp_path / "alone")) == 16
    assert rows(tmp_path / "several") == rows(tmp_path / "alone")
    assert main(["report", str(tmp_path)]) == 0, "they are of one kind"


def test_ctrl_c_stops_the_workers_and_another_executor_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    search = run(folder, "budget=16", "executor=processes", "executor.workers=2", "executor.threads=1")
    deadline = time.monotonic() + 120
    while not ((folder / "results.csv").exists() and len(rows(folder)) >= 2) and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = descendants(search.pid)
    search.send_signal(signal.SIGINT)
    output, errors = search.communicate(timeout=60)
    assert search.returncode == 130, errors
    assert "Traceback" not in errors
    assert (folder / "front.csv").exists()
    assert "resume=" in output
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)
    before = rows(folder)
    assert 2 <= len(before) < 16
    assert main(["search", f"resume={folder}", "executor=serial"]) == 0
    after = rows(folder)
    assert len(after) == 16
    assert [row for row in after if row["key"] in {one["key"] for one in before}] == before


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("executor.workers=0", "executor.workers=0: give 1 or more"),
        ("executor.time_limit_s=-1", "executor.time_limit_s=-1: give a positive number, or null for none"),
    ],
)
def test_workers_that_make_no_sense_are_refused(
    argument: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", *FAST, "executor=processes", argument, f"hydra.run.dir={tmp_path / 'run'}"]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "run" / "results.csv").exists()
