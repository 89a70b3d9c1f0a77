"""What is looked at in a command's arguments before Hydra sees them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hydra._internal.utils import get_args_parser

from dynas.commands.opening import check_fresh
from dynas.commands.sweep import SWEEP
from dynas.compose.given import parsed
from dynas.compose.overrides import is_sweep, override_value, quoted
from dynas.compose.stored import stored_overrides
from dynas.compose.sweeps import is_sweep_folder, sweep_overrides
from dynas.errors import DynasError, did_you_mean
from dynas.runs.names import RUN
from dynas.system.files import refuse_links
from dynas.system.folder_lock import LOCK, locked
from dynas.system.folders import CONFIGS

LISTS = ("objectives", "track")  # groups that take several options
PLACES = ("hydra.run.dir", SWEEP)  # keys that name the folder of a run, or of the runs of a sweep


def check_flags(arguments: list[str]) -> None:
    """Raise DynasError for a flag that Hydra lacks, or by which it would unpickle a file, which runs what it holds."""
    known = [option for action in get_args_parser()._actions for option in action.option_strings]
    for given in (argument.split("=")[0] for argument in arguments if argument.startswith("-")):
        matching = [option for option in known if option == given or (given[:2] == "--" and option.startswith(given))]
        if "--experimental-rerun" in matching:  # argparse takes abbreviations, too
            raise DynasError("--experimental-rerun runs code from a file: go on with a run by resume=<run folder>")
        if not matching:
            raise DynasError(f"no option {given}{did_you_mean(given, known)}; see --help")


def check_verbose(arguments: list[str]) -> None:
    """Raise DynasError where Hydra would stumble over what is to be logged."""
    value = override_value(arguments, "hydra.verbose")
    if value is not None and not isinstance(parsed(f"x={value}").value(), bool | str | list):
        raise DynasError(f"hydra.verbose={value}: give true, false or the name of a logger")


def check_single_options(arguments: list[str]) -> None:
    """Raise DynasError where a group of single options is given a list: Hydra would merge them."""
    for argument in arguments:
        group, _, option = argument.partition("=")
        if option.startswith("[") and group not in LISTS and (CONFIGS / group).is_dir():
            raise DynasError(f"{group} takes one option, not {option}: sweep over several with -m {group}=a,b")


def check_outputs(arguments: list[str]) -> None:
    """Raise DynasError where the folder that run folders go to cannot be written."""
    given = override_value(arguments, "hydra.run.dir")
    folder = Path(given or "outputs").absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise DynasError(f"cannot write run folders to '{folder}': give a writable one by hydra.run.dir=<folder>")
    places = [Path(name) for key in PLACES if (name := override_value(arguments, key))]
    if sweep := override_value(arguments, SWEEP):
        places += [job for job in Path(sweep).glob("*") if job.is_dir()]
    for place in places:
        refuse_links(place)  # before Hydra and its log write anything
    if given and (folder / LOCK).exists():
        with locked(Path(given)):  # refused before Hydra writes anything
            pass
    if given and override_value(arguments, "resume") is None:
        check_fresh(Path(given), RUN)


def resume_arguments(arguments: list[str], name: str) -> list[str]:
    """Return the arguments that go on with a run or a sweep: what it was started with, then what is given now."""
    given = override_value(arguments, "resume")
    if given is None or given in ("null", ""):
        return arguments
    folder = Path(given)
    now = [argument for argument in arguments if not argument.startswith("resume=")]
    if is_sweep_folder(folder):
        flags = [] if is_sweep(now) else ["-m"]
        return [*flags, *sweep_overrides(folder, name, now), *now, f"hydra.sweep.dir={quoted(str(folder))}"]
    if is_sweep(arguments):
        raise DynasError("resume=<run folder> goes on with one run: leave out -m, or give the folder of a sweep")
    other = override_value(now, "executor") is not None
    return [
        *stored_overrides(folder, now, lambda override: not (other and re.match(r"executor(\.|=)", override))),
        *now,
        f"resume={quoted(str(folder))}",
        f"hydra.run.dir={quoted(str(folder))}",
        "hydra.output_subdir=null",
    ]
