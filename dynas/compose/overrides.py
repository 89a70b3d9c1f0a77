"""Overrides and composed configs: how they are written, read and told of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from dynas.errors import DynasError, one_of, os_sentence
from dynas.system.extras import install
from dynas.system.folders import CONFIGS

LAUNCHERS = ("joblib", "submitit")  # of Hydra, which are packages of their own
FLAGS_WITH_VALUE = {
    "--cfg", "-c", "--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd", "--package", "-p",
}  # fmt: skip


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
    """Return text as one quoted value of Hydra's override grammar, where backslashes matter before quotes only."""
    return '"' + re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + ('\\"' if found[2] else ""), text) + '"'


def is_sweep(arguments: Iterable[str]) -> bool:
    """Return whether the command line asks for several jobs."""
    return any(argument in ("-m", "--multirun") for argument in arguments)


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
        return unknown_option(missing["group"], missing["option"], listed["names"].split() if listed else [])
    if key := unknown_key(error):
        return f"no config key '{key}': see the keys with --cfg job"
    if isinstance(error, OverrideParseException):
        return f"cannot read the override '{error.override}': write key=value"
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} is missing and has no default: give {error.full_key}=<value>"
    first = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    if isinstance(error.__cause__, OmegaConfBaseException):
        return f"{first}: {str(error.__cause__).splitlines()[0]}"
    full_key = getattr(error, "full_key", None)
    return f"{full_key}: {first}" if full_key else first


def unknown_key(error: Exception) -> str:
    """Return the key that an override names and no config has, or an empty text where that was not the error."""
    found = re.search(r"Could not override '(?P<key>[^']+)'", str(error))
    return found["key"] if found else ""


def unknown_option(group: str, option: str, listed: Iterable[str]) -> str:
    """Return the sentence for an option that a group lacks.

    Args:
        group: the group.
        option: what was given.
        listed: the options that Hydra names, which leaves out those in folders.
    """
    if group == "hydra/launcher" and option.split("_")[0] in LAUNCHERS:
        extra = option.split("_")[0]
        return f"{group}={option} needs hydra-{extra}-launcher: {install(extra)}"
    ours = [path.relative_to(CONFIGS / group).with_suffix("") for path in (CONFIGS / group).rglob("*.yaml")]
    return str(one_of(group, option, {*listed, *map(Path.as_posix, ours)}))


def all_keys(container: object, prefix: str = "") -> list[str]:
    """Return the dotted keys of nested mappings, of those that hold others, too."""
    if not isinstance(container, Mapping):
        return []
    keys = [f"{prefix}{key}" for key in container]
    return keys + [inner for key, value in container.items() for inner in all_keys(value, f"{prefix}{key}.")]
