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
from hydra.errors import HydraException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from dynas.commands.stored import stored_overrides
from dynas.config import register
from dynas.errors import DynasError, DynasWarning, os_sentence, plain_warnings
from dynas.runs.store import RUN, read_run
from dynas.system.folder_lock import LOCK, locked
from dynas.system.folders import CONFIGS

FLAGS_WITH_VALUE = {
    "--cfg", "-c", "--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd", "--package", "-p",
}  # fmt: skip


def run_hydra(name: str, job: Callable[[DictConfig], int], arguments: list[str]) -> int:
    """Compose the config ``name`` from ``arguments`` and run ``job`` on it, once or for a sweep.

    Returns:
        the job's exit status, the worst one of a sweep.

    Raises:
        DynasError: the arguments or the config make no sense, or the job refused.
    """
    check_single_options(arguments)
    check_flags(arguments)
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


def hoist_flags(arguments: list[str]) -> list[str]:
    """Return the arguments with flags before overrides: Hydra refuses a flag between two overrides."""
    flags, overrides = [], []
    waiting = iter(arguments)
    for argument in waiting:
        if not argument.startswith("-"):
            overrides.append(argument)
            continue
        flags.append(argument)
        if argument in FLAGS_WITH_VALUE and (value := next(waiting, None)) is not None:
            flags.append(value)
    return [*flags, *overrides]


def override_value(arguments: list[str], key: str) -> str | None:
    """Return the last value given for ``key`` on the command line, unquoted."""
    values = [argument.split("=", 1)[1] for argument in arguments if argument.startswith(f"{key}=")]
    return values[-1].strip("'\"") if values else None


def quoted(text: str) -> str:
    """Return text as one quoted value of Hydra's override grammar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


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


def plain(config: DictConfig) -> dict[str, Any]:
    """Return the resolved config without ``resume``, as plain containers."""
    container = OmegaConf.to_container(config, resolve=True)
    assert isinstance(container, dict)
    container.pop("resume", None)
    return {str(key): value for key, value in container.items()}


def flat(container: object, prefix: str = "") -> dict[str, object]:
    """Return nested mappings as one mapping of dotted keys."""
    if not isinstance(container, dict):
        return {prefix: container}
    items: dict[str, object] = {}
    for key, value in container.items():
        items |= flat(value, f"{prefix}.{key}" if prefix else str(key))
    return items


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


def run_folder() -> Path:
    """Return the folder of the current job."""
    return Path(HydraConfig.get().runtime.output_dir)


def overrides() -> list[str]:
    """Return what the current job was started with, without what resuming adds."""
    return [override for override in HydraConfig.get().overrides.task if not override.startswith("resume=")]


def choices() -> dict[str, str]:
    """Return the chosen option of every config group of ours."""
    chosen = HydraConfig.get().runtime.choices
    return {str(group): str(option) for group, option in chosen.items() if not str(group).startswith("hydra/")}


def check_single_options(arguments: list[str]) -> None:
    """Raise DynasError where a group other than the objectives is given a list: Hydra would merge its options."""
    for argument in arguments:
        group, _, option = argument.partition("=")
        if option.startswith("[") and group != "objectives" and (CONFIGS / group).is_dir():
            raise DynasError(f"{group} takes one option, not {option}: sweep over several with -m {group}=a,b")


def one_sentence(error: Exception) -> str:
    """Return the essence of an error in one sentence, of a config error one that says what is allowed."""
    text = str(error)
    if isinstance(error, DynasError):
        return text
    if isinstance(error, yaml.YAMLError):
        mark = getattr(error, "problem_mark", None)
        where = f"'{mark.name}' line {mark.line + 1}" if mark else "a config file"
        return f"{where} is no YAML: {getattr(error, 'problem', None) or text}"
    if isinstance(error, OSError) and not isinstance(error, HydraException):  # a missing config is both
        return os_sentence(error)
    if missing := re.search(r"Could not (?:find|load) '(?P<group>[\w/]+)/(?P<option>[^'/]*)'", text):
        listed = re.search(r"Available options in '[^']+':\n(?P<names>(?:\t.*\n?)+)", text)
        ours = sorted(path.stem for path in (CONFIGS / missing["group"]).glob("*.yaml"))
        names = ", ".join(listed["names"].split() if listed else ours)
        return f"unknown {missing['group']} '{missing['option']}': choose one of {names}"
    if key := re.search(r"Could not override '(?P<key>[^']+)'", text):
        return f"no config key '{key['key']}': see the keys with --cfg job"
    if isinstance(error, OverrideParseException):
        return f"cannot read the override '{error.override}': write key=value"
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} is missing and has no default: give {error.full_key}=<value>"
    first = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    if isinstance(error.__cause__, OmegaConfBaseException):
        return f"{first}: {str(error.__cause__).splitlines()[0]}"
    full_key = getattr(error, "full_key", None)
    return f"{full_key}: {first}" if full_key else first
