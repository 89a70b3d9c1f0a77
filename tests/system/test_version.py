"""The version tells the commit of a clone, and nothing of a folder that is none."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dynas.system.version import commit, version
from tests.helpers.cli import dynas


def test_the_command_tells_release_and_commit(tmp_path: Path) -> None:
    done = dynas("--version", cwd=tmp_path)
    assert done.returncode == 0
    assert re.fullmatch(r"dynas \d+\.\d+\.\d+( \(commit [0-9a-f]{7,}(, with changes)?\))?\n", done.stdout)


def test_changes_of_tracked_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    assert commit(tmp_path) == "", "no clone"
    for words in (
        ("init", "-q"),
        ("add", "pyproject.toml"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first"),
    ):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    clean = commit(tmp_path)
    assert re.fullmatch(r"commit [0-9a-f]{7,}", clean)
    (tmp_path / "new.txt").write_text("untracked")
    assert commit(tmp_path) == clean
    (tmp_path / "pyproject.toml").write_text("changed")
    assert commit(tmp_path) == f"{clean}, with changes"
    assert version(tmp_path).endswith(f"({clean}, with changes)")


def test_a_machine_without_git_tells_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.setenv("PATH", "")
    assert version(tmp_path) == version(tmp_path / "elsewhere")
