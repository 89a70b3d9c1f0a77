"""What a run was started with, taken from its folder, which may be somebody else's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from dynas.errors import DynasError
from dynas.paths import CONFIGS
from dynas.store import RUN, read_run


def stored_overrides(
    folder: Path, given: Sequence[str] = (), wanted: Callable[[str], bool] = lambda override: True
) -> list[str]:
    """Return what the run in ``folder`` was started with.

    What can run code, name a program or read a config from anywhere else is taken over only where the user repeats it.

    Args:
        folder: the run folder.
        given: what the user says now; a stored override that is among it is left out.
        wanted: which of the stored overrides matter.

    Raises:
        DynasError: the folder holds no run, or an override that is refused.
    """
    stored = read_run(folder).get("overrides")
    if not isinstance(stored, list) or not all(isinstance(override, str) for override in stored):
        raise DynasError(f"'{folder / RUN}' does not say which overrides its run was started with")
    left = [override for override in stored if wanted(override) and override not in given]
    for override in left:
        if why := danger(override):
            raise DynasError(
                f"'{folder / RUN}' holds the override {shown(override)}, which {why} and is not taken over unseen: "
                f"if you trust it, repeat it on the command line"
            )
    return left


def danger(override: str) -> str:
    """Return what a stored override could do to whoever takes it over; empty for a harmless one."""
    key, _, value = override.partition("=")
    if not re.fullmatch(r"[\w.@/]+", key) or not value:
        return "is no plain key=value"
    if "hydra" in key:
        return "changes Hydra itself"
    if "_target_" in override:
        return "names code to run"
    if "${" in override:
        return "depends on this machine"
    if key.startswith("executor") and "address" in override:
        return "connects to another machine"
    if re.search(r"\bcommand\b", override) and override != "hardware=command":
        return "may name a program to run"
    if names_option(key) and re.search(r"\.\.|://|(^|[\[,\"'= ])/", value):
        return "names a config outside of the config folders"
    return ""


def names_option(key: str) -> bool:
    """Return whether the value of an override chooses an option of a config group, or holds overrides that do."""
    return (CONFIGS / key.split("@")[0]).is_dir() or re.search(r"(^|\.)(predictors?|schedule)$", key) is not None


def shown(override: str) -> str:
    """Return an override as one would type it, short and without signs that a terminal obeys."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in override)
    return shlex.quote(plain if len(plain) <= 200 else plain[:200] + "...")
