"""The packages that only some options need: how they are installed."""

from __future__ import annotations

import os
import re
import shlex
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path


def install(extra: str) -> str:
    """Return the command that installs what an extra of this package names, as one types it in a shell.

    It names the packages themselves: this one is in no index, and may have come from a clone or a wheel.
    """
    try:
        wanted = requires("dynas") or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        return f"{pip()} install {shlex.quote(f'{Path(__file__).parents[2]}[{extra}]')}"
    packages = [one.split(";")[0].strip() for one in wanted if re.search(rf"extra == ['\"]{extra}['\"]", one)]
    return " ".join([pip(), "install", *map(shlex.quote, packages)])


def pip() -> str:
    """Return what installs into the environment that runs us: ``pip`` alone where that is the shell's own."""
    if os.environ.get("VIRTUAL_ENV") == sys.prefix:
        return "pip"
    return f"{shlex.quote(sys.executable)} -m pip"
