"""What `dynas new` writes works as it is, alone and together, and nothing is overwritten."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dynas.commands.new import GROUPS, TRIED
from tests.helpers.built import built, checked
from tests.helpers.cli import ROOT, dynas, read_rows

PARTS = {role: f"own_{role}" for role in GROUPS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One part of each role."""
    place = tmp_path_factory.mktemp("new")
    for role, name in PARTS.items():
        done = dynas("new", role, name, cwd=place)
        assert done.returncode == 0, done.stderr
        assert f"test_{name}.py" in done.stdout
    return place


@pytest.mark.slow
def test_what_is_written_keeps_what_its_role_promises(folder: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    passed = int(done.stdout.split(" passed")[0].split()[-1])
    assert passed > 100


@pytest.mark.parametrize("role", GROUPS)
def test_the_command_that_is_told_composes(
    folder: Path, role: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, command, *arguments = TRIED[role].format(name=PARTS[role]).split()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    assert built(command, arguments, checked) == 0, capsys.readouterr().err


@pytest.mark.slow
def test_parts_are_trained_and_searched_together(folder: Path) -> None:
    own = ("--config-dir", "configs", "supernet=own_supernet", "data=own_data")
    fits = ("supernet.classes=10", "supernet.resolution=[28,28]", "data.validation_size=100")
    short = ("recipe.epochs=2", "recipe.largest_epochs=1", "recipe.batch_size=32", "validation.subnets=0")
    done = dynas("train", *own, *fits, *short, "objectives=[top1,macs]", "hydra.run.dir=trained", cwd=folder)
    assert done.returncode == 0, done.stderr
    searched = ("objectives=[own_metric,latency]", "algo=own_algorithm", "predictor=own_predictor")
    small = ("hardware=own_hardware", "budget=12", "mode.start_size=null", "mode.population=6", "confirm=0")
    weights = "supernet.weights=trained/weights.safetensors"
    done = dynas("search", *own, *fits, weights, *searched, *small, "hydra.run.dir=run", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = read_rows(folder / "run")
    assert len(rows) == 12
    assert all(0 < float(row["own_metric [%]"]) < 100 for row in rows)
    assert all(float(row["latency [ms]"]) > 0 for row in rows)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("")
    done = dynas("new", "metric", "own", cwd=tmp_path)
    assert done.returncode == 1
    assert "'test_own.py' exists already" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test_own.py"]


@pytest.mark.parametrize(
    ("role", "name", "told"),
    [
        ("metrics", "own", "did you mean metric?"),
        ("metric", "Own-1", "small letters, digits and _, such as my_metric"),
        ("metric", "class", "small letters, digits and _"),
        ("metric", "../own", "small letters, digits and _"),
        ("metric", "json", "a Python module 'json' already"),
        ("supernet", "mbv3", "supernet=mbv3 is an option of dynas already"),
        ("algorithm", "nsga2", "algo=nsga2 is an option of dynas already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, role: str, name: str, told: str) -> None:
    done = dynas("new", role, name, cwd=tmp_path)
    assert done.returncode == 1
    assert told in done.stderr
    assert list(tmp_path.iterdir()) == []
