"""A run goes on with what it began with, or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.cli import dynas

pytestmark = pytest.mark.slow

SMALL = (
    *("supernet=mbv3", "data=imagenet_surrogate", "hardware=note10", "mode=validation", "algo=random"),
    *("algo.population=5", "budget=5"),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opening") / "run"
    done = dynas("search", *SMALL, f"hydra.run.dir={folder}", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    return folder


def edited(finished: Path, folder: Path, **facts: Any) -> str:
    """Return run.json of a copy of a run as if it had been begun with other facts."""
    shutil.copytree(finished, folder)
    before = json.loads((folder / "run.json").read_text())
    text = json.dumps({name: facts.get(name, value) for name, value in before.items()})
    (folder / "run.json").write_text(text)
    return text


@pytest.mark.parametrize(
    ("key", "what"),
    [("weights_sha256", "weights"), ("data_sha256", "data"), ("hardware_sha256", "latency table")],
)
def test_a_run_does_not_go_on_with_other_weights_data_or_tables(
    finished: Path, tmp_path: Path, key: str, what: str
) -> None:
    folder = tmp_path / "run"
    before = edited(finished, folder, **{key: "0" * 64})
    refused = dynas("search", f"resume={folder}", "budget=10", cwd=tmp_path)
    assert refused.returncode == 1
    assert f"was begun with other {what} (SHA-256 00000000, now " in refused.stderr
    assert f"warm_start={folder}" in refused.stderr
    assert (folder / "run.json").read_text() == before, "nothing has changed"
    assert len((folder / "results.csv").read_text().splitlines()) == 6


def test_a_run_that_goes_on_elsewhere_or_with_another_version_says_so(finished: Path, tmp_path: Path) -> None:
    facts = json.loads((finished / "run.json").read_text())
    folder, versions = tmp_path / "run", {**facts["versions"], "torch": "1.0"}
    edited(finished, folder, machine={**facts["machine"], "cpu": "an abacus"}, versions=versions)
    done = dynas("search", f"resume={folder}", "budget=10", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (told,) = [line for line in done.stderr.splitlines() if "was begun with" in line]
    assert f"cpu an abacus (now {facts['machine']['cpu']}), torch 1.0 (now {facts['versions']['torch']})" in told
    same = dynas("search", f"resume={finished}", "budget=10", cwd=tmp_path)
    assert same.returncode == 0, same.stderr
    assert "was begun with" not in same.stderr
