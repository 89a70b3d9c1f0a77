"""Runs a command's job under Hydra and turns its complaints into one clear sentence."""

from __future__ import annotations

import logging
import os
import re
import shlex
import sys
import warnings
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dynas.compose.check import check_values
from dynas.compose.frames import register
from dynas.compose.given import parsed, read_overrides
from dynas.compose.leftovers import present, remove_unused
from dynas.compose.overrides import (
    all_keys,
    flat,
    hoist_flags,
    is_sweep,
    one_sentence,
    override_value,
    plain,
    quoted,
    run_folder,
    unknown_key,
)
from dynas.compose.stored import stored_overrides
from dynas.compose.sweeps import DONE, Job, is_sweep_folder, note_job, read_jobs, sweep_overrides
from dynas.errors import DynasError, DynasWarning, did_you_mean, one_line, plain_warnings
from dynas.runs.names import RESULTS, RUN
from dynas.runs.record import read_run
from dynas.runs.upgrade import RENAMED
from dynas.system.files import refuse_links
from dynas.system.folder_lock import LOCK, locked
from dynas.system.folders import CONFIGS

SWEEP = "hydra.sweep.dir"
PLACES = ("hydra.run.dir", SWEEP)


ENDINGS = ("budget", "max_minutes", "patience", "max_failures")  # keys that only say when a search ends


def run_hydra(name: str, job: Callable[[DictConfig], int], arguments: list[str]) -> int:
    """Compose the config ``name`` from ``arguments`` and run ``job`` on it, once or for a sweep.

    Returns:
        the job's exit status; of a sweep 130 after an interrupt, else 1 where a job failed.

    Raises:
        DynasError: the arguments or the config make no sense, or the job refused.
    """
    command = name.replace("_", " ")
    check_flags(arguments)
    arguments = read_overrides(arguments, command)
    check_single_options(arguments)
    check_names(arguments)
    check_verbose(arguments)
    goes_on = override_value(arguments, "resume") not in (None, "", "null")
    arguments = with_sweep_folder(resume_arguments(arguments, name), name)
    sweep = Path(override_value(arguments, SWEEP) or "") if is_sweep(arguments) else None
    check_outputs(arguments)
    register()
    before = present(*(Path(given) for key in PLACES if (given := override_value(arguments, key))), Path("outputs"))
    statuses: list[int] = []
    started: list[bool] = []

    def task(config: DictConfig) -> None:
        started.append(True)
        plain_warnings()  # a launcher may run this in a process of its own
        folder, sweeps = run_folder(), HydraConfig.get().mode == RunMode.MULTIRUN
        try:
            check_values(plain(config))
            if sweeps and goes_on:
                if is_finished(folder, config):
                    return finish_job(0, "", arguments)
                config.resume = str(folder) if (folder / RUN).exists() else None
            with locked(folder):
                status, reason = job(config), ""
        except (DynasError, OSError, HydraException, OmegaConfBaseException) as error:
            if isinstance(error, BrokenPipeError):
                raise
            status, reason = 1, one_line(one_sentence(error))
            print(f"dynas: {f'job {label(arguments)} failed: ' if sweeps else ''}{reason}", file=sys.stderr)
            remove_unused(folder, f"{name}.log", before)
        if sweeps:
            finish_job(status, reason, arguments)
        statuses.append(status)

    logging.raiseExceptions = False  # a log that cannot be written, on a full disk, is no reason for a traceback
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let exceptions through to us instead of printing them
    sys.path.append(os.getcwd())  # a user's own class can be named by _target_
    sys.argv = [f"dynas {command}", *hoist_flags(arguments)]
    try:
        hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=name)(task)()
    except KeyboardInterrupt:
        if sweep is None:
            raise
        return conclude_sweep(sweep, command, interrupted=True)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise refused(error, name, arguments) from error
    except Exception as error:
        if started or isinstance(error, OSError | DynasError):  # not about the config
            raise
        raise refused(error, name, arguments) from error
    finally:
        if sweep is not None and not read_jobs(sweep):
            remove_unused(sweep, f"{name}.log", before)
    if sweep is not None and read_jobs(sweep):
        status = conclude_sweep(sweep, command)
        remove_unused(sweep, f"{name}.log", before)
        return status
    return max(statuses, default=0)


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
    return f"{config.job.num} ({' '.join(own or config.overrides.task)})"


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


def refused(error: Exception, name: str, arguments: list[str]) -> DynasError:
    """Return why a config could not be composed, with the key that may have been meant."""
    if (key := unknown_key(error)) and (similar := did_you_mean(key, known_keys(name, arguments))):
        return DynasError(f"no config key '{key}'{similar}")
    return DynasError(one_sentence(error))


def known_keys(name: str, arguments: Sequence[str]) -> list[str]:
    """Return all keys of a command's config with the options of groups that are chosen, as far as there are such."""
    chosen = [one for one in arguments if (group := one.split("=")[0]) and (CONFIGS / group).is_dir()]
    for overrides in (chosen, []):
        try:
            with initialize_config_dir(str(CONFIGS), version_base="1.3"):
                return all_keys(OmegaConf.to_container(compose(name, overrides=overrides)))
        except (HydraException, OmegaConfBaseException):
            continue
    return []


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


def check_names(arguments: list[str]) -> None:
    """Raise DynasError, with the new spelling, where a config key is called as it was in an earlier version."""
    for argument in arguments:
        key, sign, value = argument.partition("=")
        if key in RENAMED:
            raise DynasError(f"{key} is now called {RENAMED[key]}: give {RENAMED[key]}{sign}{value}")


def check_outputs(arguments: list[str]) -> None:
    """Raise DynasError where the folder that run folders go to cannot be written."""
    given = override_value(arguments, "hydra.run.dir")
    folder = Path(given or "outputs").absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise DynasError(f"cannot write run folders to '{folder}': give a writable one by hydra.run.dir=<folder>")
    if given:
        refuse_links(folder)  # before Hydra and its log write anything
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


def check_same_config(folder: Path, config: dict[str, Any]) -> None:
    """Raise DynasError, naming the differences, unless the run in ``folder`` has this config.

    Where sub-networks are measured may differ: a run may go on with more workers. So may what ends it: a finished
    search with a larger budget is the same one with more evaluations.
    """
    before, now = flat(read_run(folder).get("config")), flat(config)
    if before.get("budget", 0) > now.get("budget", 0):  # type: ignore[operator]
        raise DynasError(
            f"'{folder}' was started with budget={before['budget']}: go on with that or a larger one, "
            f"not budget={now['budget']}"
        )
    keys = [key for key in {**before, **now} if not key.startswith("executor.") and key not in ENDINGS]
    differing = [key for key in keys if before.get(key) != now.get(key)]
    if differing:
        shown = ", ".join(f"{key}={before.get(key)} (now {now.get(key)})" for key in differing[:3])
        raise DynasError(
            f"'{folder}' was started with {shown}: go on with the same config, "
            f"`dynas {HydraConfig.get().job.name} resume={folder}`, or start a new run"
        )


def check_opening(config: DictConfig, folder: Path, product: str) -> None:
    """Raise DynasError where the run in ``folder`` cannot go on by this config, or one cannot begin there.

    Args:
        config: the composed config; its ``resume`` says which of the two is wanted.
        folder: the run folder.
        product: the file that a run which has begun holds.
    """
    if config.resume:
        check_same_config(folder, plain(config))
    else:
        check_fresh(folder, product)


def check_fresh(folder: Path, product: str) -> None:
    """Raise DynasError where the folder of a new run already holds ``product`` of another one."""
    if not (folder / product).exists():
        return
    if not (folder / RUN).exists():
        raise DynasError(f"'{folder}' holds {product} but no {RUN}, so it cannot go on: give another hydra.run.dir")
    raise DynasError(f"'{folder}' already holds a run: go on with it by resume={folder}, or give another hydra.run.dir")


def warn_of_neighbours(noisy: Collection[str]) -> None:
    """Warn where a launcher runs a sweep's jobs beside each other on this machine and that disturbs what they measure.

    Args:
        noisy: the objectives whose measurements vary.
    """
    hydra_config = HydraConfig.get()
    launcher = hydra_config.launcher
    target = str(launcher.get("_target_", ""))
    local = "joblib" in target or target.endswith("LocalLauncher")
    alone = hydra_config.mode != RunMode.MULTIRUN or launcher.get("n_jobs") == 1
    if local and not alone and noisy and hydra_config.job.num == 0:
        warnings.warn(
            f"the jobs of this sweep run beside each other, which disturbs {' and '.join(noisy)}: leave out "
            "hydra/launcher, or measure with executor.workers instead",
            DynasWarning,
            stacklevel=2,
        )


def check_single_options(arguments: list[str]) -> None:
    """Raise DynasError where a group other than the objectives is given a list: Hydra would merge its options."""
    for argument in arguments:
        group, _, option = argument.partition("=")
        if option.startswith("[") and group != "objectives" and (CONFIGS / group).is_dir():
            raise DynasError(f"{group} takes one option, not {option}: sweep over several with -m {group}=a,b")
