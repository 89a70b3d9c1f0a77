"""Runs a command's job under Hydra and turns its complaints into one clear sentence."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import hydra
import yaml
from hydra import compose, initialize_config_dir
from hydra._internal.hydra import Hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dynas.commands.arguments import (
    PLACES,
    check_flags,
    check_outputs,
    check_single_options,
    check_verbose,
    resume_arguments,
)
from dynas.commands.completion import answered
from dynas.commands.opening import first_begun, go_on_as_begun
from dynas.commands.sweep import SWEEP, conclude_sweep, finish_job, is_finished, label, with_sweep_folder
from dynas.compose.check import check_values
from dynas.compose.deprecated import new_spelling
from dynas.compose.frames import register
from dynas.compose.given import read_overrides
from dynas.compose.leftovers import present, remove_unused
from dynas.compose.overrides import (
    all_keys,
    hoist_flags,
    is_sweep,
    one_sentence,
    override_value,
    plain,
    run_folder,
    unknown_key,
)
from dynas.compose.sweeps import is_sweep_folder, read_jobs
from dynas.errors import DynasError, DynasWarning, did_you_mean, one_line, plain_warnings
from dynas.runs.names import RUN
from dynas.system.folder_lock import locked
from dynas.system.folders import CONFIGS
from dynas.system.interrupts import interrupt_behind


def run_hydra(name: str, job: Callable[[DictConfig], int], arguments: list[str]) -> int:
    """Compose the config ``name`` from ``arguments`` and run ``job`` on it, once or for a sweep.

    Returns:
        the job's exit status; of a sweep 130 after an interrupt, else 1 where a job failed.

    Raises:
        DynasError: the arguments or the config make no sense, or the job refused.
    """
    command = name.replace("_", " ")
    check_flags(arguments)
    if answered(arguments):
        return 0
    arguments = new_spelling(read_overrides(arguments, command))
    check_single_options(arguments)
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
            if goes_on and (began := first_begun(folder)):
                go_on_as_begun(config, began)
            if goes_on and sweeps:
                if is_finished(folder, config):
                    return finish_job(0, "", arguments)
                config.resume = str(folder) if (folder / RUN).exists() else None
            check_values(plain(config))
            with locked(folder):
                status, reason = job(config), ""
        except (DynasError, OSError, HydraException, OmegaConfBaseException) as error:
            if isinstance(error, BrokenPipeError):
                raise
            status, reason = 1, one_line(one_sentence(error))
            print(f"dynas: {f'job {label(arguments)} failed: ' if sweeps else ''}{reason}", file=sys.stderr)
            remove_unused(folder, f"{name}.log", before)
        except RuntimeError as error:
            if (interrupt := interrupt_behind(error)) is not None:
                raise interrupt from None
            raise
        if sweeps:
            finish_job(status, reason, arguments)
        statuses.append(status)

    logging.raiseExceptions = False  # a log that cannot be written, on a full disk, is no reason for a traceback
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let exceptions through to us instead of printing them
    sys.path.append(os.getcwd())  # a user's own class can be named by _target_
    sys.argv = [f"dynas {command}", *hoist_flags(arguments)]
    Hydra.get_mode = flags_decide  # type: ignore[method-assign,assignment]
    try:
        hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=name)(task)()
    except KeyboardInterrupt:
        if sweep is None:
            raise
        remove_unused(sweep, f"{name}.log", before)
        if not is_sweep_folder(sweep):  # nothing has begun
            raise
        return conclude_sweep(sweep, command, interrupted=True)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise refused(error, name, arguments) from error
    except Exception as error:  # Hydra and what configs name raise anything while a config is composed
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


def flags_decide(hydra: Hydra, config_name: str | None, overrides: list[str]) -> None:
    """Spare Hydra composing the config once more to see whether it asks for a sweep: with us, ``-m`` alone does."""


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
