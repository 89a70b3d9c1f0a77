"""Code of the user's own that is loaded: parts that a config names, and whatever these import."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from pathlib import Path

STARTED = ("__main__", "__mp_main__")  # what starts Python gives no part its code
INSTALLED = ("site-packages", "dist-packages")
PLACES = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), str(Path(__file__).parents[1]))


def own_code_digest() -> str | None:
    """Return the SHA-256 of all loaded files that are neither installed nor Python's or ours; None without any."""
    contents = [hashlib.sha256(file.read_bytes()).digest() for file in own_files()]
    if not contents:
        return None
    return hashlib.sha256(b"".join(sorted(contents))).hexdigest()


def own_files() -> set[Path]:
    """Return the files of loaded modules that the user wrote."""
    # what a package puts into sys.modules need not be a module, nor have attributes
    loaded = [getattr(module, "__dict__", {}) for name, module in tuple(sys.modules.items()) if name not in STARTED]
    files = {Path(file) for one in loaded if isinstance(file := one.get("__file__"), str)}
    return {file for file in files if is_own(file)}


def is_own(file: Path) -> bool:
    """Return whether a module's file is there and was written by the user."""
    elsewhere = any(file.is_relative_to(place) for place in PLACES) or any(part in INSTALLED for part in file.parts)
    return not elsewhere and file.is_file()
