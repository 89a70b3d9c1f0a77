"""What to type next, with what the current job was started with."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from dynas.compose.overrides import overrides
from dynas.compose.stored import danger

PARTS = ("supernet", "data")  # what a network is made from


def next_command(command: str, *first: str, only: Collection[str] | None = None, without: Collection[str] = ()) -> str:
    """Return a command that goes on from the current job, as one would type it.

    Args:
        command: its words, such as ``lut check``.
        first: overrides of its own.
        only: the sections of which the job's overrides are repeated; None: all.
        without: keys that are not repeated.
    """
    keys = {one: one.lstrip("+~").partition("=")[0] for one in overrides()}
    kept = [one for one, key in keys.items() if key not in without and (only is None or key.partition(".")[0] in only)]
    return shlex.join(["dynas", *command.split(), *own_configs(), *first, *kept])


def resume_command(command: str, folder: Path) -> str:
    """Return the command that goes on with a run of the current job; what names the user's own code is repeated."""
    code = [one for one in overrides() if danger(one)]
    return shlex.join(["dynas", *command.split(), *own_configs(), f"resume={folder}", *code])


def own_configs() -> list[str]:
    """Return the option that names the folder of the user's own configs, where the job was given one."""
    given = [source.path for source in HydraConfig.get().runtime.config_sources if source.provider == "command-line"]
    return [word for path in given for word in ("--config-dir", shortest(path))]


def shortest(path: str) -> str:
    """Return a path relative to the current folder where it lies within."""
    folder = Path(path)
    return str(folder.relative_to(Path.cwd())) if folder.is_relative_to(Path.cwd()) else path
