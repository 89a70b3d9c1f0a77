"""Runs of other commands that a figure needs: each in a folder of its own, made once, shared, and gone on with."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.status import Status

from dynas.compose.overrides import quoted
from dynas.errors import DynasError
from dynas.runs.names import RESULTS, RUN
from dynas.runs.record import read_run

NEWLINE = b"\n"
RUNS = "{runs}"  # in arguments: the folder of all runs, so that a folder's name does not depend on where it lies


@dataclass(frozen=True)
class Job:
    """A run of another command.

    Attributes:
        command: ``search``, ``predictors`` or ``transfer``.
        arguments: its arguments, which decide about the folder.
        title: what a user reads.
        product: the file that is there once the job is done.
    """

    command: str
    arguments: tuple[str, ...]
    title: str
    product: str = RESULTS

    @property
    def name(self) -> str:
        """Name of the folder, another one for any other arguments."""
        digest = hashlib.sha256("\n".join((self.command, *self.arguments)).encode()).hexdigest()[:6]
        words = "".join(letter if letter.isalnum() else " " for letter in self.title.lower()).split()
        return "-".join([*words, digest])

    def finished(self, runs: Path) -> bool:
        """Return whether everything is there."""
        folder = runs / self.name
        if not (folder / self.product).is_file() or not (folder / RUN).is_file():
            return False
        return bool(read_run(folder).get("status", "finished") == "finished")


def run_all(jobs: Sequence[Job], runs: Path, console: Console) -> None:
    """Run those jobs that are not finished yet, one after another, and print a line for each.

    Raises:
        DynasError: a job failed: the message says why.
        KeyboardInterrupt: the user does not want to wait any longer; what is there can be gone on with.
    """
    distinct = list(dict.fromkeys(jobs))
    waiting = [job for job in distinct if not job.finished(runs)]
    if there := len(distinct) - len(waiting):
        console.print(f"{there} of {len(distinct)} runs are there already", highlight=False)
    for number, job in enumerate(waiting, start=1):
        started = time.monotonic()
        title = f"run {number} of {len(waiting)}: {job.title}"
        with console.status(title) as status:
            run_job(job, runs, partial(_show, status, title, runs / job.name))
        console.print(f"{title}: {time.monotonic() - started:.0f} s", highlight=False, soft_wrap=True)


def run_job(job: Job, runs: Path, tick: Callable[[], None]) -> None:
    """Run a job, or go on with it, in a process of its own; ``tick`` is called every half second.

    Raises:
        DynasError: it failed.
        KeyboardInterrupt: either process was interrupted.
    """
    folder = runs / job.name
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / RUN).is_file():
        arguments = [f"resume={quoted(str(folder))}"]
    else:  # killed before its first row, if at all
        (folder / RESULTS).unlink(missing_ok=True)
        given = [argument.replace(RUNS, str(runs)) for argument in job.arguments]
        alone = ["known=null"] if job.command == "search" else []  # times are those of runs that measure everything
        arguments = [*alone, *given, f"hydra.run.dir={quoted(str(folder))}"]
    log = folder.with_name(f"{folder.name}.log")
    with log.open("w", encoding="utf-8") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "dynas.cli", job.command, *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,  # it hears of an interrupt once, from us
        )  # fmt: skip
        status = _wait(child, tick)
    if status in (130, 143, -signal.SIGINT, -signal.SIGTERM):
        raise KeyboardInterrupt
    if status:
        last = (log.read_text(encoding="utf-8").strip().splitlines() or ["it said nothing"])[-1]
        why = last.removeprefix("dynas: ").rstrip(".")
        raise DynasError(f"{job.title} failed: {why} (all it said: {log}); what was measured stays")


def _wait(child: subprocess.Popen[bytes], tick: Callable[[], None]) -> int:
    """Wait for a process and return its status; hand an interrupt on and let it tidy up, a second one kills it."""
    try:
        while True:
            try:
                return child.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                tick()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        child.wait()
        raise
    finally:
        if child.poll() is None:
            child.kill()


def _show(status: Status, title: str, folder: Path) -> None:
    """Show how much was measured so far."""
    results = folder / RESULTS
    measured = max(0, results.read_bytes().count(NEWLINE) - 1) if results.is_file() else 0
    status.update(f"{title}: {measured} measured")
