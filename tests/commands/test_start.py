"""Every command starts as a user starts it: in a process of its own. All other tests call them in theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dynas.cli import COMMANDS
from tests.helpers.cli import QUICK, read_rows, started

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("command", COMMANDS)
def test_it_starts_and_says_what_it_does(command: str, tmp_path: Path) -> None:
    done = started(command, *(["build"] if command == "lut" else []), "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"dynas {command}" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_search_is_picked_from_exported_and_loaded(tmp_path: Path) -> None:
    found = started("search", *QUICK, "hydra.run.dir=run", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert len(read_rows(tmp_path / "run")) == 12
    picked = started("report", "run", "--pick", "knee", cwd=tmp_path)
    assert picked.returncode == 0, picked.stderr
    assert "dynas export run --row" in picked.stdout
    exported = started("export", "run", "--best", "top1", "--formats", "pytorch", "--to", "out", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    assert json.loads((tmp_path / "out" / "export.json").read_text())["formats"]["pytorch"]["matches"]
