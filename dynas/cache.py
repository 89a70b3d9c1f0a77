"""Where files lie that can be made or fetched again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of ``DYNAS_CACHE``, else ``dynas`` in ``XDG_CACHE_HOME``, else ``~/.cache/dynas``."""
    given, caches = os.environ.get("DYNAS_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(given or Path(caches or "~/.cache") / "dynas").expanduser()
