"""The path of texts from the front door to a file: train, search, report, pick, export, load."""

from __future__ import annotations

import csv
import json
import runpy
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from tests.helpers.cli import BRIEF, dynas
from tests.helpers.encoders import bert_folder
from tests.helpers.supernets import narrow_bert

pytestmark = pytest.mark.slow

SMALL = (
    "supernet=bert_base", "data=sentiment", "data.validation_size=100", "supernet.vocabulary=9076",
    "supernet.positions=64", "supernet.width=16", "supernet.layers=[1,2]", "supernet.heads=[1,2]",
    "supernet.feeds=[16,32]", "supernet.head_size=8", "supernet.length=null",
)  # fmt: skip
TRAINING = ("recipe.epochs=1", "recipe.largest_epochs=0", "recipe.random_subnets=1", "validation.subnets=0")
SEARCH = ("budget=8", "mode.start_size=4", "mode.population=4", "algo.population=4", "confirm=0")


def test_texts_go_all_the_way_from_training_to_a_file(tmp_path: Path) -> None:
    trained = dynas("train", *SMALL, *TRAINING, "hydra.run.dir=trained", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert "| accuracy [%] |" in (tmp_path / "trained" / "model_card.md").read_text()
    weights = "supernet.weights=trained/weights.safetensors"
    searched = dynas("search", *SMALL, *SEARCH, *BRIEF, weights, "hydra.run.dir=run", cwd=tmp_path)
    assert searched.returncode == 0, searched.stderr
    with (tmp_path / "run" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    for row in rows:
        share = float(row["accuracy [%]"]) / 100
        assert float(row["accuracy_se [%]"]) == pytest.approx(100 * np.sqrt(share * (1 - share) / 100))
    picked = dynas("report", "run", "--pick", "knee", cwd=tmp_path)
    assert picked.returncode == 0, picked.stderr
    exported = dynas("export", "run", "--best", "accuracy", "--to", "out", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    assert [one["shape"] for one in record["inputs"]] == [["batch", "tokens"]] * 2
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"), providers=["CPUExecutionProvider"])
    for shape in ((1, 5), (3, 40)):
        feeds = {one.name: np.ones(shape, dtype=np.int64) for one in session.get_inputs()}
        assert list(feeds) == ["input_ids", "attention_mask"]
        assert session.run(None, feeds)[0].shape == (shape[0], 2)


def test_any_pretrained_bert_goes_all_the_way_from_its_folder_to_a_network(tmp_path: Path) -> None:
    source = narrow_bert(seed=4, vocabulary=9076, positions=64, classes=2)
    bert_folder(tmp_path / "theirs", source=source)
    own = ("supernet=bert", "data.validation_size=100", "supernet.layers=[0.5,0.75,1]", "supernet.heads=[0.34,1]")
    taught = (
        "start=theirs",
        "supernet.drop=importance",
        "recipe.epochs=1",
        "recipe.states=0.5",
        "validation.subnets=0",
    )
    trained = dynas("train", *own, *taught, "recipe.teacher=original", "hydra.run.dir=trained", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    weights = "supernet.weights=trained/weights.safetensors"
    searched = dynas("search", *own, *SEARCH, *BRIEF, weights, "hydra.run.dir=run", cwd=tmp_path)
    assert searched.returncode == 0, searched.stderr
    exported = dynas("export", "run", "--best", "accuracy", "--format", "pytorch", "--to", "out", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    text = (torch.tensor([[2, 40, 41, 3]]), torch.ones(1, 4, dtype=torch.long))
    network = runpy.run_path(str(tmp_path / "out" / "load.py"))["load"]()
    assert network(*text).shape == (1, 2)


def test_an_untrained_classifier_teaches_nobody(tmp_path: Path) -> None:
    bert_folder(tmp_path / "theirs", source=narrow_bert(vocabulary=9076, positions=64))
    refused = dynas(
        *("train", "supernet=bert", "start=theirs", "supernet.new_classes=2", "recipe.teacher=original"), cwd=tmp_path
    )
    assert refused.returncode == 1
    assert "recipe.teacher=original needs a trained network to learn from, with its classifier" in refused.stderr
