"""Config keys that have a new name: the old one works for one minor release and warns (docs/reference/stability.md)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dynas.compose.overrides import override_value
from dynas.errors import DynasError, DynasWarning
from dynas.runs.upgrade import RENAMED
from dynas.system.folders import CONFIGS


@dataclass(frozen=True)
class Renaming:
    """A key with a new name.

    Attributes:
        new: what it is called now.
        since: the minor release that has the new name.
        ends: the minor release that refuses the old one.
    """

    new: str
    since: str
    ends: str


DEPRECATED: Mapping[str, Renaming] = MappingProxyType(
    {old: Renaming(RENAMED[old], "0.2", "0.3") for old in ("group", "hardware.precision")}
)


def new_spelling(arguments: list[str]) -> list[str]:
    """Return overrides and flags with today's names of keys, and warn of each that had an older one.

    Raises:
        DynasError: an old name stands beside the new one.
    """
    keys = {argument.partition("=")[0] for argument in arguments}
    found = []
    for argument in arguments:
        key, sign, value = argument.partition("=")
        renaming = DEPRECATED.get(key)
        if renaming is None or not sign or is_own(key, arguments):
            found.append(argument)
            continue
        if renaming.new in keys:
            raise DynasError(f"{key} is called {renaming.new} since {renaming.since}: give {renaming.new} alone")
        warnings.warn(
            f"{key} is called {renaming.new} since {renaming.since}: give {renaming.new}={value}; "
            f"the old name ends with {renaming.ends}",
            DynasWarning,
            stacklevel=2,
        )
        found.append(f"{renaming.new}={value}")
    return found


def is_own(key: str, arguments: list[str]) -> bool:
    """Return whether a key is of an option of the user's own, where an old name of ours may mean something else."""
    group, nested, _ = key.partition(".")
    option = override_value(arguments, group) if nested else None
    return option is not None and not (CONFIGS / group / f"{option}.yaml").is_file()
