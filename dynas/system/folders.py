"""Where the package keeps its configs, and this machine what can be made or fetched again."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_INSTALLED = _PACKAGE / "configs"
CONFIGS = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "configs"


def cache_folder() -> Path:
    """Return the folder of ``DYNAS_CACHE``, else ``dynas`` in ``XDG_CACHE_HOME``, else ``~/.cache/dynas``."""
    given, caches = os.environ.get("DYNAS_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(given or Path(caches or "~/.cache") / "dynas").expanduser()
