"""Training: it learns, it resumes to the same weights, and the search takes what it made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.helpers.cli import QUICK, dynas, killed, printed_command, read_rows
from tests.helpers.garments import write_garments

pytestmark = pytest.mark.slow

# one garment on tiny inputs is learnt within seconds
NETWORK = ("data.garments=1", "data.source=garments", "supernet.classes=10", "supernet.resolution=[14,14]")
SMALL = (
    *NETWORK,
    "data.validation_size=250",
    "data.calibration_size=200",
    "recipe.epochs=2",
    "recipe.batch_size=32",
    "recipe.learning_rate=0.01",
    "recipe.random_subnets=1",
    "recipe.largest_epochs=1",
    "recipe.smallest_every=1",
    "validation.subnets=3",
    "threads=1",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cwd = tmp_path_factory.mktemp("train")
    write_garments(cwd / "garments", 640, 250)
    done = dynas("train", *SMALL, "hydra.run.dir=run", cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert "quality on the validation samples" in done.stdout
    assert "dynas search supernet=mbv3 supernet.weights=" in done.stdout
    (cwd / "printed.txt").write_text(done.stdout)
    return cwd / "run"


def test_the_printed_command_searches_with_the_weights_and_data(trained: Path, tmp_path: Path) -> None:
    search = printed_command((trained.parent / "printed.txt").read_text(), "use them with: ")
    few = ("algo=random", "algo.population=2", "budget=2", "objectives=[top1,macs]")
    to = ("mode=validation", f"hydra.run.dir={tmp_path / 'search'}")
    done = dynas(*search, *few, *to, cwd=trained.parent)
    assert done.returncode == 0, done.stderr
    assert all(float(row["top1 [%]"]) > 30 for row in read_rows(tmp_path / "search")), "chance is 10 %"


def test_training_learns_and_says_how_well(trained: Path) -> None:
    rows = json.loads((trained / "run.json").read_text())["qualities"]
    assert rows[0]["sub-network"] == "smallest"
    assert rows[-1]["sub-network"] == "largest"
    assert all(row["top1 [%]"] > 30 for row in rows), "chance is 10 %"
    card = (trained / "model_card.md").read_text()
    assert "dynas train data.garments=1" in card
    assert f"| largest | {rows[-1]['top1 [%]']} |" in card


def test_a_training_keeps_what_was_measured_on_the_way(trained: Path) -> None:
    first, last = read_rows(trained, "training.csv")
    assert first["largest top1 [%]"], "while it is trained alone, nothing else is measured"
    assert not first["median top1 [%]"]
    assert (first["epoch"], last["epoch"]) == ("1", "2")
    assert all(last.values())
    assert (
        float(last["largest top1 [%]"]) == json.loads((trained / "run.json").read_text())["qualities"][-1]["top1 [%]"]
    )
    assert (trained / "training.png").read_bytes().startswith(b"\x89PNG")


def test_a_training_does_not_go_on_with_other_data(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    write_garments(tmp_path / "garments", 500, 250)
    refused = dynas("train", "resume=run", cwd=tmp_path)
    assert refused.returncode == 1
    assert "run' was begun with other data (SHA-256 " in refused.stderr


def test_a_training_ends_early_once_the_median_no_longer_rises(trained: Path) -> None:
    given = [one for one in SMALL if not one.startswith("recipe.")]
    done = dynas(
        "train", *given, "recipe.epochs=9", "recipe.learning_rate=1e-9", "recipe.largest_epochs=0",
        "recipe.batch_size=320", "validation.patience=1", "hydra.run.dir=early", cwd=trained.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the median has not risen in 1 measurements: training ends early" in done.stdout
    epochs = json.loads((trained.parent / "early" / "run.json").read_text())["epochs"]
    assert epochs == len(read_rows(trained.parent / "early", "training.csv")) < 9
    assert f"Ended early, after epoch {epochs}." in (trained.parent / "early" / "model_card.md").read_text()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("device=tpu", "device=tpu: give cpu or cuda"),
        pytest.param(
            "device=cuda", "device=cuda needs an NVIDIA GPU and a torch built for it: give device=cpu",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
        ),
        ("validation.every=0", "validation.every=0"),
    ],
)  # fmt: skip
def test_bad_settings_get_one_sentence(argument: str, message: str, tmp_path: Path) -> None:
    refused = dynas("train", argument, "data.source=embedded", cwd=tmp_path)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_the_search_measures_what_training_reported(trained: Path) -> None:
    done = dynas(
        "search", *QUICK, *NETWORK, "data.validation_size=250", "data.calibration_size=200",
        f"supernet.weights={trained / 'weights.safetensors'}", "hydra.run.dir=search", cwd=trained.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all(float(row["top1 [%]"]) > 20 for row in read_rows(trained.parent / "search")), "chance is 10 %"


def test_a_killed_training_resumes_to_the_same_weights(trained: Path) -> None:
    folder = trained.parent / "killed"
    killed("train", *SMALL, "hydra.run.dir=killed", cwd=folder.parent, once=folder / "checkpoint.pt")
    assert not (folder / "weights.safetensors").exists(), "the training must be killed half-way"
    resumed = dynas("train", "resume=killed", cwd=folder.parent)
    assert resumed.returncode == 0, resumed.stderr
    expected, found = (load_file(where / "weights.safetensors") for where in (trained, folder))
    assert all(bool((expected[key] == found[key]).all()) for key in expected)
