"""The page about run folders names every file, every key of run.json and every column that runs have."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from dynas.runs import names
from tests.helpers.cli import ROOT

PAGE = (ROOT / "docs" / "reference" / "run_folder.md").read_text()
OLD = ROOT / "tests" / "runs" / "old_runs"
NAMED = set(re.findall(r"`([^`]+)`", PAGE))
PER_OBJECTIVE = re.compile(r"^(reference|latency first|(top1|bleu|hr10|latency) \[)")


def test_every_file_is_named() -> None:
    files = {value for name, value in vars(names).items() if name.isupper()}
    assert files - NAMED == set()


@pytest.mark.parametrize("path", sorted(OLD.glob("*/*.csv")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_column_is_named(path: Path) -> None:
    with path.open(newline="") as file:
        columns = [name for name in next(csv.reader(file)) if not PER_OBJECTIVE.match(name)]
    assert set(columns) - NAMED == set()


@pytest.mark.parametrize("name", ["default", "evaluate"])
def test_every_key_of_run_json_is_named(name: str) -> None:
    facts = json.loads((OLD / name / "run.json").read_text())
    assert set(facts) - NAMED == set()
