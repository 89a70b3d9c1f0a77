"""Which dynas this is: its release and, of a clone, its commit."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 5.0


def version(root: Path = ROOT) -> str:
    """Return the release, such as ``0.2.0``, and of a clone its commit: ``0.2.0 (commit 1a2b3c4, with changes)``."""
    try:
        release = installed("dynas")
    except PackageNotFoundError:  # run from a checkout that is not installed
        release = "not installed"
    found = commit(root)
    return f"{release} ({found})" if found else release


def commit(root: Path) -> str:
    """Return the commit that a clone is at, and whether its tracked files have changed since; nothing elsewhere."""
    if not (root / ".git").exists() or not (root / "pyproject.toml").is_file():
        return ""
    try:
        head = _git(root, "rev-parse", "--short", "HEAD")
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):  # no git, or one that does not trust the folder's owner
        return ""
    return f"commit {head}{', with changes' if changes else ''}"


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=TIMEOUT_S, check=True
    )
    return done.stdout.strip()
