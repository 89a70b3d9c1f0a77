"""Runs of other commands that a figure needs: each in a folder of its own, made once, shared, and gone on with.

Runs that time nothing are made side by side, each on one thread; all others one at a time.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rich.console import Console

from dynas.compose.overrides import quoted
from dynas.data.tabulated import TABLES as SHIPPED
from dynas.errors import DynasError
from dynas.runs.names import RESULTS, RUN
from dynas.runs.record import read_run
from dynas.system.folders import CONFIGS
from dynas.system.machine import available_cores

NEWLINE = b"\n"
SUPERNETS = Path(__file__).parents[1] / "supernets" / "embedded"  # as weights/load.py has it, which loads torch
RUNS, TABLES = "{runs}", "{tables}"  # folders in arguments, so that a run's name does not depend on where they lie
TICK = 0.2  # seconds between two looks at running processes
INTERRUPTED = (130, 143, -signal.SIGINT, -signal.SIGTERM)


@dataclass(frozen=True)
class Job:
    """A run of another command.

    Attributes:
        command: ``search``, ``predictors`` or ``transfer``.
        arguments: its arguments, which decide about the folder.
        title: what a user reads.
        product: the file that is there once the job is done.
        alone: whether nothing else may run meanwhile: it times something, or takes all processors itself.
        after: jobs whose folders it reads.
    """

    command: str
    arguments: tuple[str, ...]
    title: str
    product: str = RESULTS
    alone: bool = False
    after: tuple[Job, ...] = ()

    @property
    def name(self) -> str:
        """Name of the folder, another one for other arguments, or other shipped files that these name."""
        given = (self.command, *self.arguments, *map(shipped_digest, self.arguments))
        digest = hashlib.sha256("\n".join(given).encode()).hexdigest()[:6]
        words = "".join(letter if letter.isalnum() else " " for letter in self.title.lower()).split()
        return "-".join([*words, digest])

    def finished(self, runs: Path) -> bool:
        """Return whether everything is there."""
        folder = runs / self.name
        if not (folder / self.product).is_file() or not (folder / RUN).is_file():
            return False
        return bool(read_run(folder).get("status", "finished") == "finished")

    def given(self, runs: Path) -> list[str]:
        """Return the arguments of its command: those to go on where it was begun."""
        folder = runs / self.name
        if (folder / RUN).is_file():
            return [f"resume={quoted(str(folder))}"]
        (folder / RESULTS).unlink(missing_ok=True)  # killed before its first row, if at all
        filled = [one.replace(RUNS, str(runs)).replace(TABLES, str(SHIPPED)) for one in self.arguments]
        known = ["known=null"] if self.command == "search" else []  # times are those of runs that measure everything
        return [*known, *filled, f"hydra.run.dir={quoted(str(folder))}"]


@cache
def shipped_digest(argument: str) -> str:
    """Return the SHA-256 of the preset, weights or table that an argument names: a run of others is another run."""
    key, _, value = argument.partition("=")
    places = {
        "experiment": (CONFIGS / "experiment", f"{value}.yaml"),
        "supernet": (SUPERNETS, f"{value}.safetensors"),
        "data.path": (SHIPPED, f"{value}/*"),
        "results": (SHIPPED, f"{value.removeprefix(TABLES + '/')}/*"),
    }
    if key not in places:
        return ""
    folder, pattern = places[key]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob(pattern)))).hexdigest()


@dataclass(frozen=True)
class Child:
    """The process of a job.

    Attributes:
        job: what it runs.
        results: the file of its measurements, once there are any.
        log: the file of everything that it says.
        process: the process.
        started: when, by the monotonic clock.
    """

    job: Job
    results: Path
    log: Path
    process: subprocess.Popen[bytes]
    started: float

    @property
    def measured(self) -> int:
        """Sub-networks in its results so far."""
        return max(0, self.results.read_bytes().count(NEWLINE) - 1) if self.results.is_file() else 0

    def check(self) -> None:
        """Raise DynasError where it failed, KeyboardInterrupt where it was interrupted."""
        status = self.process.wait()
        if status in INTERRUPTED:
            raise KeyboardInterrupt
        if status:
            last = (self.log.read_text(encoding="utf-8").strip().splitlines() or ["it said nothing"])[-1]
            why = last.removeprefix("dynas: ").rstrip(".")
            raise DynasError(f"{self.job.title} failed: {why} (all it said: {self.log}); what was measured stays")


def start(job: Job, runs: Path) -> Child:
    """Start a job in a process of its own, or go on with it."""
    folder = runs / job.name
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.with_name(f"{folder.name}.log")
    one_thread = {} if job.alone else {"OMP_NUM_THREADS": "1"}
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dynas.cli", job.command, *job.given(runs)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **one_thread},
            start_new_session=True,  # it hears of an interrupt once, from us
        )  # fmt: skip
    return Child(job, folder / RESULTS, log, process, time.monotonic())


def run_all(jobs: Sequence[Job], runs: Path, console: Console) -> None:
    """Run those jobs that are not finished yet, with all that they read, and print a line for each.

    Raises:
        DynasError: a job failed: the message says why.
        KeyboardInterrupt: the user does not want to wait any longer; what is there can be gone on with.
    """
    distinct = with_what_they_read(jobs)
    waiting = [job for job in distinct if not job.finished(runs)]
    if there := len(distinct) - len(waiting):
        console.print(f"{there} of {len(distinct)} runs are there already", highlight=False)
    total, done = len(waiting), 0
    children: list[Child] = []
    try:
        with console.status("") as status:
            while waiting or children:
                children += [start(job, runs) for job in startable(waiting, [child.job for child in children])]
                waiting = [job for job in waiting if all(job != child.job for child in children)]
                status.update(", ".join(f"{child.job.title}: {child.measured} measured" for child in children))
                time.sleep(TICK)
                for child in [child for child in children if child.process.poll() is not None]:
                    child.check()
                    children.remove(child)
                    done += 1
                    seconds = f"{time.monotonic() - child.started:.0f} s"
                    title = f"run {done} of {total}: {child.job.title}: {seconds}"
                    console.print(title, highlight=False, soft_wrap=True)
    finally:
        stop(children)


def with_what_they_read(jobs: Sequence[Job]) -> list[Job]:
    """Return distinct jobs, each after those whose folders it reads."""
    ordered: dict[Job, None] = {}
    for job in jobs:
        ordered |= dict.fromkeys([*with_what_they_read(job.after), job])
    return list(ordered)


def startable(waiting: Sequence[Job], running: Collection[Job]) -> list[Job]:
    """Return which of the waiting jobs can be started beside the running ones: a timed one only if there is none."""
    ready = [job for job in waiting if not {*job.after} & {*waiting, *running}]
    together = [job for job in ready if not job.alone]
    if any(job.alone for job in running):
        return []
    if together or running:
        return together[: max(0, available_cores() - len(running))]
    return ready[:1]


def stop(children: Sequence[Child]) -> None:
    """Interrupt processes and let them tidy up; a second interrupt kills them."""
    try:
        for child in children:
            child.process.send_signal(signal.SIGINT)
        for child in children:
            child.process.wait()
    finally:
        for child in children:
            if child.process.poll() is None:
                child.process.kill()
