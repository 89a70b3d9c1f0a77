"""What a run was started with, taken from its folder, which may be somebody else's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import OverrideType
from hydra.errors import HydraException

from dynas.errors import DynasError
from dynas.runs.names import RUN
from dynas.runs.record import read_run
from dynas.system.folders import CONFIGS
from dynas.system.named import NAMED

LONGEST = 20_000  # characters of an override: more than any architecture takes, too few to keep a parser busy
OPTION = r"\w[\w.-]*(/\w[\w.-]*)*"


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
    """Return what a stored override could do to whoever takes it over; empty for a harmless one.

    It is judged by what Hydra makes of it, not by its text, which can be escaped in many ways.
    """
    if len(override) > LONGEST:
        return f"is longer than {LONGEST} characters"
    try:
        parsed = OverridesParser.create().parse_override(override)
        if parsed.type is not OverrideType.CHANGE or parsed.package or parsed.is_sweep_override():
            return "is no plain key=value"
        key, value = parsed.key_or_group, parsed.value()
        if not re.fullmatch(r"[\w.]+|[\w/]+", key) or "=" not in override:
            return "is no plain key=value"
        return danger_of_value(re.split(r"[./]", key), key, value)
    except (HydraException, RecursionError):
        return "is no plain key=value"


def danger_of_value(path: Sequence[object], key: str, value: object) -> str:
    """Return what a parsed value could do; empty for a harmless one.

    Args:
        path: the keys that lead to it.
        key: the first of them as they were written.
        value: what Hydra's parser makes of it: a plain value, a list or a mapping.
    """
    if why := danger_of_key(path):
        return why
    if isinstance(value, dict):
        return first(danger_of_value([*path, inner], "", one) for inner, one in value.items())
    if "command" in path:
        return "may name a program to run"
    if isinstance(value, list):
        return first(danger_of_value(path, key, one) for one in value)
    if "schedule" in path:
        return danger(value) if isinstance(value, str) else "is no plain key=value"
    if not isinstance(value, str):
        return ""
    if re.search(r"[$\\]", value) or not value.isprintable():
        return "is more than plain text"
    if path[0] == "data" and path[-1] in ("train", "validation") and NAMED.fullmatch(value):
        return "names code to run"
    if names_option(path, key) and not re.fullmatch(OPTION, value):
        return "names a config outside of the config folders"
    return ""


def danger_of_key(path: Sequence[object]) -> str:
    """Return what setting the value at a path of keys could do; empty for a harmless one."""
    names = [str(name) for name in path]
    if any(re.search(r"^_|_$|[^\w.-]", name) for name in names):
        return "names code to run"
    if names[0] == "supernet" and "model" in names[1:]:
        return "names code to run"
    if names[0] == "hydra":
        return "changes Hydra itself"
    if names[0] == "executor" and "address" in names:
        return "connects to another machine"
    if names[0] == "track" and len(names) > 1:
        return "tells results to somebody"
    return ""


def names_option(path: Sequence[object], key: str) -> bool:
    """Return whether a value chooses an option of a config group."""
    return (bool(key) and (CONFIGS / key).is_dir()) or str(path[-1]) in ("predictor", "predictors")


def first(reasons: Iterable[str]) -> str:
    """Return the first reason that is not empty."""
    return next(filter(None, reasons), "")


def shown(override: str) -> str:
    """Return an override as one would type it, short and without signs that a terminal obeys."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in override)
    return shlex.quote(plain if len(plain) <= 200 else plain[:200] + "...")
