"""Runs a command's job under Hydra and turns its complaints into one clear sentence."""

from __future__ import annotations

import logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from dynas.compose.frames import register
from dynas.compose.overrides import (
    flat,
    hoist_flags,
    one_sentence,
    override_value,
    plain,
    quoted,
    run_folder,
)
from dynas.compose.stored import stored_overrides
from dynas.errors import DynasError, DynasWarning, plain_warnings
from dynas.runs.names import RUN
from dynas.runs.record import read_run
from dynas.runs.upgrade import RENAMED
from dynas.system.folder_lock import LOCK, locked
from dynas.system.folders import CONFIGS


def run_hydra(name: str, job: Callable[[DictConfig], int], arguments: list[str]) -> int:
    """Compose the config ``name`` from ``arguments`` and run ``job`` on it, once or for a sweep.

    Returns:
        the job's exit status, the worst one of a sweep.

    Raises:
        DynasError: the arguments or the config make no sense, or the job refused.
    """
    check_single_options(arguments)
    check_flags(arguments)
    check_names(arguments)
    arguments = resume_arguments(arguments)
    check_outputs(arguments)
    register()
    statuses: list[int] = []
    started: list[bool] = []

    def task(config: DictConfig) -> None:
        started.append(True)
        plain_warnings()  # a launcher may run this in a process of its own
        try:
            with locked(run_folder()):
                statuses.append(job(config))
        except (DynasError, OSError, HydraException, OmegaConfBaseException) as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN or isinstance(error, BrokenPipeError):
                raise
            # as an exit, so that Hydra adds no lines of its own
            print(f"dynas: {one_sentence(error)}", file=sys.stderr)
            raise SystemExit(1) from error

    logging.raiseExceptions = False  # a log that cannot be written, on a full disk, is no reason for a traceback
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let exceptions through to us instead of printing them
    sys.path.append(os.getcwd())  # a user's own class can be named by _target_
    sys.argv = [f"dynas {name}", *hoist_flags(arguments)]
    try:
        hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=name)(task)()
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise DynasError(one_sentence(error)) from error
    except ValueError as error:
        if started:  # not about the config
            raise
        raise DynasError(one_sentence(error)) from error
    return max(statuses, default=0)


def check_flags(arguments: list[str]) -> None:
    """Raise DynasError where Hydra would unpickle a file of a run folder, which runs whatever code it holds."""
    # argparse takes abbreviations, too
    if any(len(name) > 2 and "--experimental-rerun".startswith(name) for name in (a.split("=")[0] for a in arguments)):
        raise DynasError("--experimental-rerun runs code from a file: go on with a run by resume=<run folder>")


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
    if given and (folder / LOCK).exists():
        with locked(Path(given)):  # refused before Hydra writes anything
            pass
    if given and override_value(arguments, "resume") is None:
        check_fresh(Path(given), RUN)


def resume_arguments(arguments: list[str]) -> list[str]:
    """Return the arguments that go on with a run: what it was started with, then what is given now."""
    given = override_value(arguments, "resume")
    if given is None or given in ("null", ""):
        return arguments
    if "-m" in arguments or "--multirun" in arguments:
        raise DynasError("resume=<run folder> goes on with one run: leave out -m")
    folder = Path(given)
    now = [argument for argument in arguments if not argument.startswith("resume=")]
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

    Where sub-networks are measured may differ: a run may go on with more workers.
    """
    before, now = flat(read_run(folder).get("config")), flat(config)
    keys = [key for key in {**before, **now} if not key.startswith("executor.")]
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
