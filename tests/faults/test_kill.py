"""Killed at random moments, a search loses nothing, and ends as if nothing had happened."""

from __future__ import annotations

import random
import shutil
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tests.faults.slow_search import BUDGET, main
from tests.helpers.cli import dynas
from tests.helpers.kills import CASES, killed_once, undisturbed
from tests.helpers.processes import SURROGATE, kill, results, start, wait_until

pytestmark = pytest.mark.slow

KILLS = 20


def test_twenty_kills_at_random_moments_change_nothing(tmp_path: Path) -> None:
    main(tmp_path / "whole", 0.0)
    moments, kills, known = random.Random(1), 0, b""
    table = tmp_path / "killed" / "results.csv"
    while kills < KILLS:
        child = start(sys.executable, "-m", "tests.faults.slow_search", str(tmp_path / "killed"), "0.004")
        if moments.random() < 0.8:  # the others come while it starts
            wait_until(partial(has_grown, table, len(known)), child)
        time.sleep(moments.uniform(0.0, 0.2))
        kills += kill(child)
        content = table.read_bytes() if table.exists() else b""
        assert content.startswith(known[: known.rfind(b"\n") + 1]), "what a kill left is there after the next one"
        known = content
    rows = known.count(b"\n")
    assert 20 < rows <= BUDGET, f"kills must hit a search under way, which had {rows} rows"
    main(tmp_path / "killed", 0.0)
    assert results(tmp_path / "killed") == results(tmp_path / "whole")


def has_grown(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size > size


def test_the_command_survives_kills_too(tmp_path: Path) -> None:
    """``scripts/dev/kill.py`` does so with every command."""
    (tmp_path / "before").mkdir()
    whole = undisturbed(CASES["search"], tmp_path / "before", tmp_path / "whole")
    for moment in (0.4, 0.8):
        killed_once(CASES["search"], whole, tmp_path / str(moment), moment)


def test_a_run_killed_before_its_first_row_goes_on(whole: Path, tmp_path: Path) -> None:
    """Between run.json and results.csv there is a moment, too."""
    (tmp_path / "run").mkdir()
    shutil.copy(whole / "run.json", tmp_path / "run")
    refused = dynas(*SURROGATE, cwd=tmp_path)
    assert refused.returncode == 1
    assert "go on with it by resume=run" in refused.stderr
    resumed = dynas("search", "resume=run", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert results(tmp_path / "run") == results(whole)
