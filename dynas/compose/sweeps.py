"""A sweep's folder: one folder per job, what it was started with, and how each job ended."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import yaml
from hydra.core.override_parser.types import ValueType

from dynas.compose.given import parsed
from dynas.compose.stored import LONGEST, danger, shown
from dynas.compose.yaml_files import check_aliases
from dynas.errors import DynasError, one_line
from dynas.runs.names import RUN
from dynas.system.files import csv_line

MULTIRUN = "multirun.yaml"  # of Hydra: what a sweep was started with
JOBS = "jobs.csv"  # how each job ended
DONE = "done"
MOST_VALUES = 10_000  # of one key: more jobs than anyone starts
LISTED = (ValueType.SIMPLE_CHOICE_SWEEP, ValueType.CHOICE_SWEEP, ValueType.RANGE_SWEEP)


@dataclass(frozen=True)
class Job:
    """How one job of a sweep ended.

    Attributes:
        number: from 0; the name of its folder, unless told otherwise.
        label: its number and the overrides of its own.
        outcome: ``done``, or the reason why not.
    """

    number: int
    label: str
    outcome: str


def is_sweep_folder(folder: Path) -> bool:
    """Return whether a folder is that of a sweep."""
    return (folder / MULTIRUN).is_file() and not (folder / RUN).exists()


def sweep_overrides(folder: Path, command: str, given: Sequence[str]) -> list[str]:
    """Return what the sweep in ``folder`` was started with, several values included.

    The folder may be somebody else's: each value is judged as that of a single run is.

    Args:
        folder: the sweep's folder.
        command: the command that goes on with it.
        given: what the user says now; a stored override that is among it is left out.

    Raises:
        DynasError: it was another command's, or an override is refused.
    """
    path = folder / MULTIRUN
    try:
        text = path.read_text(encoding="utf-8")
        check_aliases(text, str(path))
        hydra = yaml.safe_load(text)["hydra"]
        name, stored, own = hydra["job"]["name"], hydra["overrides"]["task"], hydra["overrides"]["hydra"]
        given_then = [*stored, *own]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, RecursionError) as error:
        raise DynasError(f"cannot read what the sweep was started with from '{path}'") from error
    if name != command:
        raise DynasError(f"'{folder}' is a sweep of dynas {one_line(str(name))}, not of dynas {command}")
    if not all(isinstance(one, str) for one in given_then):
        raise DynasError(f"'{path}' does not say which overrides its sweep was started with")
    if layout := [one for one in own if one.startswith("hydra.sweep.subdir=") and one not in given]:
        raise DynasError(f"'{folder}' was started with {shown(layout[0])}: repeat it on the command line")
    left = [one for one in stored if one not in given and not one.startswith("resume=")]
    for override in left:
        if why := danger_of_sweep(override):
            raise DynasError(
                f"'{path}' holds the override {shown(override)}, which {why} and is not taken over unseen: "
                "if you trust it, repeat it on the command line"
            )
    return left


def danger_of_sweep(override: str) -> str:
    """Return what a stored override with one or several values could do; empty for a harmless one."""
    one = parsed(override) if len(override) <= LONGEST else None
    if one is None or not one.is_sweep_override():
        return danger(override)
    if one.value_type not in LISTED or one.value().shuffle:
        return "is no plain list of values"
    values = [f"{one.get_key_element()}={value}" for value in islice(one.sweep_string_iterator(), MOST_VALUES + 1)]
    if len(values) > MOST_VALUES:
        return f"gives more than {MOST_VALUES} values"
    return next((why for value in values if (why := danger(value))), "")


def note_job(folder: Path, job: Job) -> None:
    """Add how a job ended to the sweep's table; several processes may do so."""
    line = csv_line([job.number, job.label, one_line(job.outcome)])
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(folder / JOBS, flags, 0o644)
    try:
        os.write(descriptor, line.encode("utf-8", "backslashreplace"))
    finally:
        os.close(descriptor)


def read_jobs(folder: Path) -> list[Job]:
    """Return how each job ended last, by their numbers; lines that are torn are passed over."""
    path = folder / JOBS
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = [row for row in csv.reader(file) if len(row) == 3 and re.fullmatch("[0-9]{1,9}", row[0])]
    except csv.Error as error:
        raise DynasError(f"cannot read '{path}': {error}") from error
    jobs = {int(row[0]): Job(int(row[0]), one_line(row[1]), one_line(row[2])) for row in rows}
    return [jobs[number] for number in sorted(jobs)]
