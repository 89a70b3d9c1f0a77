"""The path of decoders from the front door to a file: train, search, report, pick, export, load."""

from __future__ import annotations

import csv
import json
import runpy
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from dynas.data.text.language_tokenizer import EMBEDDED
from tests.helpers.cli import BRIEF, dynas
from tests.helpers.supernets import NARROW_DECODER

pytestmark = pytest.mark.slow

TEXTS = ("data.window=16", "data.stride=16", "data.validation_size=4")
OPTIONS = ("supernet.groups=[0,1,3]", "supernet.length=16")
TRAINING = (
    "recipe.epochs=2", "recipe.largest_epochs=1", "recipe.random_subnets=1", "recipe.batch_size=64",
    "recipe.accumulate=2", "data.epoch_tokens=256", "validation.subnets=0",
)  # fmt: skip
SEARCH = ("budget=8", "mode.start_size=4", "mode.population=4", "algo.population=4", "confirm=0")
SHORT = ("objectives.tpot.metric.length=8", "objectives.memory.metric.length=16")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shape of a network, its tokenizer, and a trained one."""
    folder = tmp_path_factory.mktemp("decoders")
    (folder / "shape").mkdir()
    (folder / "shape" / "config.json").write_text(json.dumps(NARROW_DECODER | {"vocab_size": 4096}))
    shutil.copy(EMBEDDED, folder / "shape")
    (folder / "texts.txt").write_text("".join(f"This is line {number} of a text.\n" for number in range(200)))
    given = ("supernet=decoder", "supernet.config=shape", "data=text", "data.path=texts.txt", "data.tokenizer=shape")
    trained = dynas("train", *given, *OPTIONS, *TEXTS, *TRAINING, "hydra.run.dir=trained", cwd=folder)
    assert trained.returncode == 0, trained.stderr
    return folder


def test_a_training_leaves_a_folder_that_is_read_again(folder: Path) -> None:
    assert "| bits_per_byte [bit/byte] |" in (folder / "trained" / "model_card.md").read_text()
    assert json.loads((folder / "trained" / "config.json").read_text())["dynas"] == {"layers": [0, 1, 2, 3]}
    assert (folder / "trained" / "tokenizer.json").read_bytes() == EMBEDDED.read_bytes()


def test_decoders_go_all_the_way_to_a_file(folder: Path) -> None:
    weights = "supernet.weights=trained/weights.safetensors"
    given = ("supernet=decoder", weights, *OPTIONS, *TEXTS, *SHORT)
    searched = dynas("search", *given, *SEARCH, *BRIEF, "hydra.run.dir=run", cwd=folder)
    assert searched.returncode == 0, searched.stderr
    with (folder / "run" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert all(
        float(row[name]) > 0 for row in rows for name in ("bits_per_byte [bit/byte]", "tpot [ms]", "memory [MB]")
    )
    picked = dynas("report", "run", "--pick", "knee", cwd=folder)
    assert picked.returncode == 0, picked.stderr
    exported = dynas("export", "run", "--best", "bits_per_byte", "--to", "out", cwd=folder)
    assert exported.returncode == 0, exported.stdout + exported.stderr
    record = json.loads((folder / "out" / "export.json").read_text())
    assert all(one["matches"] for one in record["formats"].values())
    assert {"pytorch", "torch_export"} <= set(record["formats"])
    if find_spec("transformers"):
        assert "hugging_face/config.json" in record["formats"]["hugging_face"]["files"]
    network = runpy.run_path(str(folder / "out" / "load.py"))["load"](folder / "out")
    assert network(torch.zeros(2, 7, dtype=torch.long)).shape == (2, 7, 4096)


def test_formats_of_decoders_are_refused_in_a_sentence_where_they_do_not_fit(folder: Path) -> None:
    """The first layer of the smallest network has no attention."""
    pytest.importorskip("xllamacpp")
    given = ("supernet=decoder", "supernet.weights=trained", *OPTIONS, *TEXTS, "objectives=[memory,params]")
    measured = dynas("evaluate", "architectures=[smallest]", *given, "hydra.run.dir=small", cwd=folder)
    assert measured.returncode == 0, measured.stderr
    refused = dynas("export", "small", "--row", "1", "--formats", "gguf", cwd=folder)
    assert "gguf cannot take this network: llama.cpp needs attention in the first layer" in refused.stderr
    assert refused.returncode != 0
    assert not (folder / "small" / "export_row1").exists()


def test_a_folder_that_is_not_there_is_told_in_a_sentence(folder: Path) -> None:
    missing = dynas("search", "supernet=decoder", "supernet.weights=nowhere", cwd=folder)
    assert missing.returncode != 0
    assert "there is no file or folder 'nowhere'" in missing.stderr
    assert "Traceback" not in missing.stderr
