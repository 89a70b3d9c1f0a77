"""hardware=command: a user's script is the target, and what goes wrong with it concerns one candidate only."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas import DynasError
from dynas.core.bench import Bench
from dynas.core.supernet import Supernet
from dynas.hardware.command import CommandError, CommandMeter, milliseconds
from dynas.metrics.latency import Latency
from dynas.metrics.measurer import Measurer
from dynas.supernets.mbv3 import MobileNetV3Supernet
from tests.helpers.cli import ROOT, dynas, read_rows
from tests.helpers.own.mine import Perceptrons

pytestmark = pytest.mark.slow

PYTHON = shlex.quote(sys.executable)
BOARD = f"{PYTHON} {shlex.quote(str(ROOT / 'tests' / 'helpers' / 'own' / 'board.py'))} {{onnx}} {{shape}}"


@pytest.fixture(scope="module")
def supernet() -> Supernet:
    """One of few layers, which are soon written."""
    return Perceptrons()


@pytest.fixture
def script(tmp_path: Path) -> Any:
    def write(*lines: str) -> str:
        path = tmp_path / "a script.py"
        path.write_text("\n".join(("import os, sys, time", *lines)) + "\n")
        return f"{PYTHON} {shlex.quote(str(path))}"

    return write


def measured(supernet: Supernet, command: str, rows: int = 1, timeout: float = 60) -> list[Any]:
    bench = Measurer(Bench(supernet, None, CommandMeter(command, 2, timeout)), {"latency": Latency()})  # type: ignore[arg-type]
    bench.check()
    return list(bench.measure(supernet.space.sample(rows, np.random.default_rng(0))))


def test_the_script_gets_a_file_that_runs_and_its_times_are_taken() -> None:
    convolutions = MobileNetV3Supernet("embedded", 0.125, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2))
    (row,) = measured(convolutions, BOARD)
    assert row.error == ""
    assert row.extras["latency_repeats [runs]"] == 4
    assert 0 < row.extras["latency_p10 [ms]"] <= row.values[0] <= row.extras["latency_p90 [ms]"]


def test_the_placeholders_are_filled_in_and_the_path_comes_last_without_one(
    supernet: Supernet, script: Any, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    command = script(f"open({str(log)!r}, 'a').write(repr(sys.argv[1:]) + '\\n')", "print(3.5)")
    for more in ("'a b' --model={onnx} --shape {shape}", "--shape {shape}"):
        (row,) = measured(supernet, f"{command} {more}")
        assert row.values == (3.5,)
    first, second = map(eval, log.read_text().splitlines())
    assert first[0] == "a b"
    assert first[1].startswith("--model=/")
    assert first[2:] == ["--shape", "2x1x28x56"]
    assert second[:2] == ["--shape", "2x1x28x56"]
    assert second[2].endswith(".onnx")
    assert not Path(second[2]).exists(), "the file is removed afterwards"


FAILURES = [
    ("print('fast')", "the command printed 'fast', not a positive number of milliseconds"),
    ("print(-1.0)", "printed '-1.0', not a positive number"),
    ("print('nan')", "printed 'nan', not a positive number"),
    ("print('1.0 inf')", "printed '1.0 inf', not a positive number"),
    ("pass", "printed '', not a positive number"),
    ("sys.exit('no phone\\nis connected')", "the command ended with status 1: no phone is connected"),
    ("print('to standard output'); sys.exit(3)", "ended with status 3: to standard output"),
    ("os.kill(os.getpid(), 9)", "ended with status -9: no output"),
    ("sys.stdout.buffer.write(bytes([255, 254, 10]))", "not a positive number of milliseconds"),
]


@pytest.mark.parametrize(("line", "message"), FAILURES)
def test_what_goes_wrong_is_told_and_costs_no_other_candidate(
    supernet: Supernet, script: Any, tmp_path: Path, line: str, message: str
) -> None:
    count = tmp_path / "count"
    command = script(
        f"number = len(open({str(count)!r}).read()) if os.path.exists({str(count)!r}) else 0",
        f"open({str(count)!r}, 'a').write('x')",
        "if number != 1:",
        "    print(number + 1)",
        "else:",
        f"    {line}",
    )
    rows = measured(supernet, command, rows=3)
    assert [row.values[0] for row in rows if not row.error] == [1, 3]
    assert message in rows[1].error
    assert np.isnan(rows[1].values[0])
    assert count.read_text() == "xxx", "nothing is measured twice"


def test_a_command_that_hangs_is_killed_with_its_children(supernet: Supernet, script: Any, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = script(
        "import subprocess",
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
        f"open({str(pid)!r}, 'w').write(str(child.pid))",
        "time.sleep(600)",
    )
    start = time.monotonic()
    (row,) = measured(supernet, command, timeout=3)
    assert time.monotonic() - start < 60
    assert "the command took longer than hardware.timeout=3 seconds" in row.error
    child = int(pid.read_text())
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and alive(child):
        time.sleep(0.05)
    assert not alive(child)


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("command", ["/no/such/program {onnx}", "no_such_program_anywhere", "", "'open quote"])
def test_a_program_that_cannot_be_started_is_refused_at_once(command: str) -> None:
    with pytest.raises(DynasError, match=r"hardware\.command="):
        CommandMeter(command, 1, 60)


@pytest.mark.parametrize(("batch_size", "timeout"), [(0, 60), (1, 0), (1, float("inf")), (1, float("nan"))])
def test_numbers_that_make_no_sense_are_refused(batch_size: int, timeout: float) -> None:
    with pytest.raises(DynasError, match="batch_size >= 1 and timeout > 0"):
        CommandMeter(PYTHON, batch_size, timeout)


def test_no_shell_reads_the_command(supernet: Supernet, script: Any, tmp_path: Path) -> None:
    (row,) = measured(supernet, script("print(len(sys.argv))") + " ; touch $HOME '&&' {onnx} > x")
    assert row.values == (8,)
    assert not (tmp_path / "x").exists()
    assert not Path("x").exists()


@given(st.text(max_size=40))
def test_whatever_is_printed_is_timings_or_refused(printed: str) -> None:
    try:
        times = milliseconds(printed)
    except CommandError:
        return
    assert times
    assert all(0 < one < float("inf") for one in times)


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=5), st.text(alphabet="ab \n", max_size=10))
def test_the_last_line_counts(times: list[float], before: str) -> None:
    assert milliseconds(f"{before}\n{' '.join(map(repr, times))}\n\n") == times


def test_a_search_measures_accuracy_here_and_latency_there(tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "tests" / "helpers" / "own", tmp_path / "own")
    arguments = [
        *("--config-dir", "configs", "supernet=perceptrons", "objectives=[top1,latency]", "hydra.run.dir=run"),
        *("hardware=command", f"hardware.command={shlex.quote(BOARD)}", "data.validation_size=100", "confirm=0"),
        *("budget=7", "mode.start_size=5", "mode.population=2", "algo.population=4", "mode.predicted_evaluations=100"),
    ]
    done = dynas("search", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = read_rows(folder / "run")
    assert len(rows) == 7
    assert all(float(row["latency [ms]"]) > 0 and 0 <= float(row["top1 [%]"]) <= 100 for row in rows)
    assert "latency" in (folder / "run" / "predictors.csv").read_text(), "it is predicted like a measured one"


def test_a_missing_program_ends_the_search_at_once(tmp_path: Path) -> None:
    done = dynas("search", "hardware=command", "hardware.command=./phone.sh", cwd=tmp_path)
    assert done.returncode == 1
    assert "there is no program './phone.sh' that can be started" in done.stderr
    assert not list(tmp_path.rglob("results.csv"))
    assert done.stderr.count("\n") == 1
