"""Runs the command line: in this process, or as a user does in one of its own."""

from __future__ import annotations

import csv
import io
import logging
import os
import shlex
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import torch
from hydra.core.global_hydra import GlobalHydra

from dynas.cli import main

ROOT = Path(__file__).parents[2]
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

BRIEF = (  # latencies that nobody looks at
    "hardware.warmup=0",
    "hardware.min_repeats=2",
    "hardware.max_repeats=2",
    "hardware.batch_size=1",
)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dynas.cli", *arguments]


def printed_command(screen: str, before: str) -> list[str]:
    """Return the arguments of the ``dynas`` command that a screen shows after some words."""
    line = next(line for line in screen.splitlines() if before in line)
    return shlex.split(line.partition(f"{before}dynas ")[2])


def dynas(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, which spares it the import of torch, and return what a process would."""
    output, errors = io.StringIO(), io.StringIO()
    with as_fresh(cwd), redirect_stdout(output), redirect_stderr(errors):
        try:
            status = main(arguments)
        except SystemExit as exit:
            status = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
        except Exception:  # what Python would do
            traceback.print_exc()
            status = 1
    return subprocess.CompletedProcess(command(*arguments), status, output.getvalue(), errors.getvalue())


@contextmanager
def as_fresh(cwd: Path) -> Iterator[None]:
    """Work in a folder as a new process would: nothing that is set or imported there outlives the block."""
    kept = {name: getattr(sys, name)[:] for name in ("argv", "path")}
    modules, environment, threads = set(sys.modules), dict(os.environ), torch.get_num_threads()
    os.environ["COLUMNS"] = "200"
    try:
        with chdir(cwd), warnings.catch_warnings():
            yield
    finally:
        vars(sys).update(kept)
        os.environ.clear()
        os.environ.update(environment)
        torch.set_num_threads(threads)
        GlobalHydra.instance().clear()
        drop_logs()
        for name in set(sys.modules) - modules:
            if is_beneath(getattr(sys.modules[name], "__file__", None), cwd):
                del sys.modules[name]


def drop_logs() -> None:
    """Let nothing write into the logs of runs any longer, whose folders go with their tests."""
    logging.getLogger().handlers[:] = [one for one in logging.getLogger().handlers if not is_log(one)]


def is_log(handler: logging.Handler) -> bool:
    """Tell whether a handler writes the log of a run; close it then."""
    if not isinstance(handler, logging.FileHandler):
        return False
    handler.close()
    return True


def is_beneath(file: str | None, folder: Path) -> bool:
    return file is not None and Path(file).resolve().is_relative_to(folder.resolve())


def started(*arguments: str, cwd: Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does: in a process of its own."""
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


def read_rows(folder: Path, name: str = "results.csv") -> list[dict[str, str]]:
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))
