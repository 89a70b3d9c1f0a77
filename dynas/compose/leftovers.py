"""Folders that a refused command leaves no trace of."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection
from pathlib import Path

from dynas.compose.sweeps import JOBS, MULTIRUN
from dynas.system.folder_lock import LOCK

HYDRAS = (".hydra", LOCK, MULTIRUN, JOBS)  # and a log: what stands in a folder before anything is measured


def present(*folders: Path) -> set[Path]:
    """Return which folders are there, with all above them and their own folders: what a command must leave there."""
    found: set[Path] = set()
    for folder in folders:
        found |= {path.absolute() for path in (folder, *folder.absolute().parents) if path.is_dir()}
        if folder.is_dir():
            found |= {path.absolute() for path in folder.iterdir() if path.is_dir()}
    return found


def remove_unused(folder: Path, log: str, before: Collection[Path]) -> None:
    """Remove a run folder in which nothing was made, and the empty ones above it, unless they were there before.

    Args:
        folder: the folder of a run or of a sweep.
        log: the name of its log.
        before: folders that stay.
    """
    folder = folder.absolute()
    if not folder.is_dir() or any(path.name not in (*HYDRAS, log) for path in folder.iterdir()):
        return
    with contextlib.suppress(OSError):  # another process may have begun in there; then it stays
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        while folder not in before:
            folder.rmdir()
            folder = folder.parent
