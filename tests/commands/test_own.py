"""A user's own supernet, metric, algorithm and predictor work by one `_target_` each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.helpers.cli import ROOT, dynas, read_rows

pytestmark = pytest.mark.slow

OWN = ("--config-dir", "configs", "supernet=perceptrons", "objectives=[confidence,macs]", "hydra.run.dir=run")
FEW = ("data.validation_size=100", "data.calibration_size=50")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "tests" / "helpers" / "own", tmp_path / "own"))


def test_an_own_supernet_and_metric_are_searched(folder: Path) -> None:
    done = dynas(
        "search",
        *OWN,
        *FEW,
        "budget=16",
        "mode.start_size=null",
        "mode.population=8",
        "mode.predicted_evaluations=50",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    rows = read_rows(folder / "run")
    assert len(rows) == 16, "the whole space of two widths"
    assert all(0 < float(row["confidence [%]"]) < 100 for row in rows)
    assert {tuple(json.loads(row["architecture"])["width"]) for row in rows} >= {(8, 8), (32, 32)}


def test_an_own_algorithm_decides_the_order(folder: Path) -> None:
    done = dynas("search", *OWN, *FEW, "algo=in_order", "mode=validation", "budget=5", cwd=folder)
    assert done.returncode == 0, done.stderr
    widths = [json.loads(row["architecture"])["width"] for row in read_rows(folder / "run")]
    assert widths == [[8, 8], [8, 16], [8, 24], [8, 32], [16, 8]]


@pytest.mark.parametrize("choice", ["predictor=mean", "objectives.confidence.predictor=mean"])
def test_an_own_predictor_is_trained(folder: Path, choice: str) -> None:
    small = ("budget=12", "mode.start_size=null", "mode.population=6", "mode.predicted_evaluations=20")
    done = dynas("search", *OWN, *FEW, *small, choice, cwd=folder)
    assert done.returncode == 0, done.stderr
    text = (folder / "run" / "predictors.csv").read_text()
    assert text.splitlines()[1].startswith("1,confidence,6,")


def test_an_unknown_class_is_told_in_one_sentence(folder: Path) -> None:
    (folder / "configs" / "algo" / "in_order.yaml").write_text("_target_: mine.Gone\n_partial_: true\n")
    done = dynas("search", *OWN, *FEW, "algo=in_order", "mode=validation", "budget=5", cwd=folder)
    assert done.returncode == 1
    assert "mine.Gone" in done.stderr
    assert "Traceback" not in done.stderr
