"""A clock that jumps: timestamps are told, and nothing is worked out from them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from dynas.system.files import write_csv
from tests.helpers.cli import dynas

pytestmark = pytest.mark.slow


def test_timestamps_that_go_backwards_change_nothing(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    header, *rows = list(csv.reader((folder / "results.csv").open(newline="")))
    column = header.index("timestamp")
    for index, row in enumerate(rows):
        row[column] = f"{2030 - index}-01-01T00:00:00.000+00:00"
    write_csv(folder / "results.csv", header, rows)
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(
        json.dumps(facts | {"started": "2050-01-01T00:00:00", "ended": "1970-01-01T00:00:00"})
    )
    shown = [dynas("report", str(one), "--format", "csv", cwd=tmp_path).stdout for one in (whole, folder)]
    assert shown[0] == shown[1] != ""
    before = (folder / "results.csv").read_bytes()
    resumed = dynas("search", "resume=run", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert (folder / "results.csv").read_bytes() == before
