"""The jobs of a sweep: which folder they go to, how each has ended, and what comes next."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from dynas.compose.given import parsed
from dynas.compose.overrides import flat, is_sweep, override_value, plain, run_folder
from dynas.compose.sweeps import DONE, Job, note_job, read_jobs
from dynas.runs.names import RESULTS, RUN
from dynas.runs.record import read_run

if TYPE_CHECKING:
    from dynas.display.display import Title

SWEEP = "hydra.sweep.dir"


def with_sweep_folder(arguments: list[str], name: str) -> list[str]:
    """Return the arguments of a sweep with the folder of its jobs, a new one in ``outputs`` where none is given."""
    if not is_sweep(arguments) or override_value(arguments, SWEEP) is not None:
        return arguments
    prefix = "" if name == "search" else f"{name}_"
    return [*arguments, f"{SWEEP}=outputs/{prefix}sweep_{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"]


def label(arguments: Sequence[str]) -> str:
    """Return number and overrides of a sweep's job, those that are its own among the arguments."""
    config = HydraConfig.get()
    own = [one for one in config.overrides.task if one not in arguments]
    return f"{config.job.num + 1} ({' '.join(own or config.overrides.task)})"


def is_sweeping() -> bool:
    """Return whether this is a job of a sweep."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def heading() -> Title:
    """Return the command as a heading, with the job of a sweep: ``dynas search, job 2 of 5: seed=2``."""
    from dynas.display.display import Title

    command, *arguments = sys.argv
    if not is_sweeping():
        return Title(command)
    config = HydraConfig.get()
    own = [one for one in config.overrides.task if one not in arguments]
    total = ""
    if str(config.sweeper.get("_target_", "")).endswith("BasicSweeper"):  # others decide that on the way
        total = f" of {number_of_jobs(arguments)}"
    return Title(
        f"{command}, job {config.job.num + 1}{total}: {' '.join(own or config.overrides.task)}", announced=True
    )


def number_of_jobs(arguments: Sequence[str]) -> int:
    """Return how many jobs the values of a sweep's overrides make."""
    given = [parsed(one) for one in arguments if not one.startswith("-")]
    return prod(len(list(one.sweep_iterator())) for one in given if one is not None and one.is_sweep_override())


def finish_job(status: int, reason: str, arguments: Sequence[str]) -> None:
    """Note how a job of a sweep has ended, and end the sweep with it after an interrupt.

    Raises:
        KeyboardInterrupt: the job was interrupted.
    """
    if status == 130:
        raise KeyboardInterrupt
    config = HydraConfig.get()
    outcome = reason or (DONE if status == 0 else f"ended with status {status}, see {run_folder()}")
    note_job(Path(config.sweep.dir), Job(config.job.num, label(arguments), outcome))


def is_finished(folder: Path, config: DictConfig) -> bool:
    """Return whether a job of a sweep needs not go on: it has ended, and nothing else is asked of it now."""
    if not (folder / RUN).exists():
        return False
    facts = read_run(folder)
    return facts.get("status") == "finished" and flat(facts.get("config")) == flat(plain(config))


def conclude_sweep(folder: Path, command: str, interrupted: bool = False) -> int:
    """Say how the jobs of a sweep have ended and what comes next; return the exit status."""
    jobs = read_jobs(folder)
    failed = [job for job in jobs if job.outcome != DONE]
    goes_on = f"dynas {command} resume={shlex.quote(str(folder))}"
    print(f"sweep {folder}: {len(jobs) - len(failed)} done" + (f", {len(failed)} failed:" if failed else ""))
    for job in failed:
        print(f"  job {job.label} failed: {job.outcome}")
    if interrupted:
        print(f"interrupted; go on with: {goes_on}")
        return 130
    if failed and len(failed) < len(jobs):
        print(f"try those that failed again: {goes_on}")
    if any(folder.glob(f"*/{RESULTS}")):
        print(f"compare them: dynas report {shlex.quote(str(folder))}")
    return 1 if failed else 0
