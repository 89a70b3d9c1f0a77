"""``dynas report`` from argument list to files and text."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from dynas.commands.report import main
from dynas.errors import DynasError
from tests.report.runs import FIVE, write_search

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two seeds of two methods."""
    for seed in (0, 1):
        write_search(tmp_path / "sweep" / f"linas_{seed}", [*FIVE, (91, 7 - seed)], seed=seed)
        choices = {"mode": "validation", "algo": "random"}
        write_search(tmp_path / "sweep" / f"random_{seed}", [*FIVE, (81, 9)], choices=choices, seed=seed)
    return tmp_path / "sweep"


def test_a_sweep_is_compared(sweep: Path, capsys: Capture) -> None:
    assert main([str(sweep)]) == 0
    printed = capsys.readouterr().out
    assert "linas nsga2" in printed
    assert "validation random" in printed
    assert "reference point: top1 80 %; latency 10 ms" in printed
    picture = sweep / "hypervolume_comparison.png"
    assert str(picture) in printed
    with Image.open(picture) as image:
        image.load()
        assert image.format == "PNG"


def test_a_single_run_shows_its_front(sweep: Path, capsys: Capture) -> None:
    assert main([str(sweep / "linas_0")]) == 0
    printed = capsys.readouterr().out
    assert "front: 2 of 6 sub-networks" in printed
    assert "to #1" not in printed


def test_machine_readable_formats_are_alone_on_standard_output(sweep: Path, capsys: Capture) -> None:
    assert main([str(sweep), "--format", "json"]) == 0
    captured = capsys.readouterr()
    records = json.loads(captured.out)
    assert [record["seeds"] for record in records] == [2, 2]
    assert "reference point" in captured.err
    assert main([str(sweep), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(row["hypervolume"]) for row in rows] == [record["hypervolume"] for record in records]
    assert main([str(sweep), "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("| runs | seeds |")


def test_the_picture_goes_where_it_is_told(sweep: Path, tmp_path: Path, capsys: Capture) -> None:
    wanted = tmp_path / "picture.svg"
    assert main([str(sweep), "--out", str(wanted)]) == 0
    assert "<svg" in wanted.read_text()
    assert not list(sweep.glob("*.png"))
    assert str(wanted) in capsys.readouterr().out
    for refused in (tmp_path / "missing" / "a.png", tmp_path / "a.doc"):
        with pytest.raises(DynasError, match=refused.name):
            main([str(sweep), "--out", str(refused)])
    assert not list(tmp_path.glob("*.partial"))


def test_paths_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match="nowhere"):
        main([str(tmp_path / "nowhere")])


def test_loading_the_command_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'hydra', 'omegaconf', 'pymoo', 'matplotlib', 'sklearn'}"
    code = f"import sys, dynas.commands.report, dynas.report.outputs; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
