"""``dynas compress``: one command and one folder, which goes on wherever it was stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import TensorDataset

import dynas as package
from dynas.data.fashion_mnist import FashionMNIST
from tests.helpers.cli import BRIEF, ROOT, dynas, read_rows
from tests.helpers.networks import Residual, network
from tests.helpers.photos import write_imagenet

pytestmark = pytest.mark.slow

MODEL = "model=mine:network"
SHAPE = ("supernet.resolution=[28,56]", "supernet.channels=1", "supernet.divisor=4", "supernet.shares=[0.5,1.0]")
DATA = ("data.validation_size=60", "data.calibration_size=20")
TINY = (
    "budget=4", "trial=1", "tune=2", "recipe.batch_size=20", "mode.start_size=3", "mode.population=2",
    "mode.predicted_evaluations=60", "algo.population=6",
)  # fmt: skip


@pytest.fixture(scope="module")
def cwd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with mine.py, which has several networks, and weights of the first."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.py").write_text(
        f"import sys; sys.path.append({str(ROOT)!r})\n"
        "from torch import nn\n"
        "from tests.helpers.networks import Residual as network\n"
        "class Maps(nn.Conv2d):\n"
        "    def __init__(self): super().__init__(1, 8, 3)\n"
        "class Branching(nn.Module):\n"
        "    def __init__(self): super().__init__(); self.last = nn.Linear(28 * 56, 100)\n"
        "    def forward(self, x):\n"
        "        return self.last(x.flatten(1)) if x.sum() > 0 else self.last(-x.flatten(1))\n"
        "def flat(): return nn.Sequential(nn.Flatten(), nn.Linear(28 * 56, 100))\n"
    )
    torch.save(network("residual").state_dict(), folder / "net.pth")
    return folder


def compress(cwd: Path, *arguments: str) -> str:
    done = dynas("compress", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def first(cwd: Path) -> str:
    """What a compression with two limits says."""
    limit = ("limit=[macs<=0.8x,macs<=0.6x]", "formats=[pytorch,torch_export,openvino_int8]")
    settings = (MODEL, "weights=net.pth", *SHAPE, *DATA, *TINY, *BRIEF, *limit, "hydra.run.dir=run")
    return compress(cwd, *settings)


def test_the_original_stands_beside_the_results_within_80_columns(first: str, cwd: Path) -> None:
    table = first[first.index("original and result") :].splitlines()
    assert all(word in table[1] for word in ("original", "macs<=0.8x", "macs<=0.6x"))
    assert all(
        any(line.strip().startswith(row) for line in table) for row in ("top-1 [%]", "latency [ms]", "size [MB]")
    )
    assert max(map(len, table[:10])) <= 80
    original, *others = json.loads((cwd / "run" / "compared.json").read_text())
    assert original["lost"] == original["lost_error"] == 0
    assert original["agreement"] == 100
    within = [one["costs"]["macs"] / original["costs"]["macs"] for one in others]
    assert all(share <= 0.8 for share in within)
    assert min(within) <= 0.6


def test_the_sensitivity_is_a_table_and_a_picture_by_itself(first: str, cwd: Path) -> None:
    rows = read_rows(cwd / "run", "sensitivity.csv")
    assert [row["name"] for row in rows[:2]] == ["original", "1"]
    assert len(rows) == 1 + 2 + 5, "two blocks, and five groups of one option"
    assert (cwd / "run" / "sensitivity.png").stat().st_size > 1000


def test_every_limit_has_its_files(first: str, cwd: Path) -> None:
    for place in (1, 2):
        folder = cwd / "run" / "deployed" / f"limit{place}"
        record = json.loads((folder / "export.json").read_text())
        assert record["finished"]
        assert list(record["formats"]) == ["pytorch", "torch_export", "openvino_int8"]
        assert all(one["matches"] for one in record["formats"].values())
        found = record["formats"]["openvino_int8"]["quality"]
        assert found["network"] == pytest.approx(record["measured"]["quality"]), "of the tuned network"
        limit = record["limit"]
        assert f"openvino_int8, {limit}: top1 {found['value']:.1f} ± {found['error']:.1f} %, the network" in first
        assert record["measured"]["costs"]["macs"] < record["original"]["costs"]["macs"]


def test_a_finished_step_is_passed_over_and_a_missing_one_made_again(first: str, cwd: Path) -> None:
    run = cwd / "run"
    kept = {path: path.stat().st_mtime_ns for path in run.rglob("*.safetensors")}
    gone = sorted((run / "tuned").iterdir())[0]
    gone.unlink()
    (run / "compared.json").unlink()
    rows = (run / "search" / "results.csv").read_bytes()
    said = compress(cwd, "resume=run", MODEL)
    assert said.count("tuning limit") == 1
    assert (run / "search" / "results.csv").read_bytes() == rows
    assert gone.exists()
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items() if path != gone)


def test_a_search_that_was_stopped_goes_on(first: str, cwd: Path) -> None:
    run = cwd / "run"
    for name in ("candidates.json", "compared.json"):
        (run / name).unlink()
    results = run / "search" / "results.csv"
    lines = results.read_text().splitlines(keepends=True)
    results.write_text("".join(lines[:3]))
    compress(cwd, "resume=run", MODEL)
    assert results.read_text().splitlines(keepends=True)[:3] == lines[:3]
    assert len(read_rows(run / "search")) == len(lines) - 1


def test_an_export_of_the_search_says_where_the_tuned_networks_are(first: str, cwd: Path) -> None:
    done = dynas(
        "export",
        "run/search",
        "supernet.model=mine:network",
        "--row",
        "1",
        "--formats",
        "pytorch",
        "--to",
        "cut",
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    assert "these are the weights as cut; dynas compress resume=run writes tuned ones to run/deployed\n" in done.stdout


def test_somebody_elses_folder_runs_no_code(first: str, cwd: Path) -> None:
    done = dynas("compress", "resume=run", cwd=cwd)
    assert done.returncode == 1
    assert "names code to run" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("model=mine:Branching",), "mine.py, in forward"),
        (("model=mine:flat",), "nothing of the network can be pruned"),
        (("model=mine:Maps",), "logits"),
        ((MODEL, "weights=other.pth"), "do not fit the network of supernet.model"),
        ((MODEL, "weights=missing.pth"), "missing.pth"),
        ((MODEL, "limit=macs<=0.001x"), "leaves no sub-network"),
        ((MODEL, "limit=speed<=0.5x"), "unknown objective of a limit 'speed'"),
        ((MODEL, "judge=taste"), "unknown judge 'taste'"),
        ((MODEL, "max_minutes=0"), "max_minutes=0"),
        ((MODEL, "formats=[floppy]"), "unknown format 'floppy'"),
        ((MODEL, "formats=[onnx,gguf]"), "gguf is for networks of language modelling"),
        ((MODEL, "formats=3"), "formats=3: give all, or a list"),
        ((MODEL, "tune=0"), "tune=0"),
        (("weights=net.pth",), "do not fit the network of supernet.model"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(
    arguments: tuple[str, ...], said: str, cwd: Path
) -> None:
    torch.save({"0.0.weight": torch.zeros(3)}, cwd / "other.pth")
    done = dynas("compress", *SHAPE, *DATA, *TINY, "hydra.run.dir=refused", *arguments, cwd=cwd)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert said in done.stderr
    assert not (cwd / "refused").exists()


GIVEN: dict[str, Any] = {
    "hardware": ("cpu", {"warmup": 0, "min_repeats": 2, "max_repeats": 2, "batch_size": 1}),
    "budget": 2, "trial": 0, "tune": 1, "recipe": {"batch_size": 20}, "mode": "validation", "algo": "random",
}  # fmt: skip


def test_python_gives_the_module(tmp_path: Path) -> None:
    data = FashionMNIST("embedded", 2, 60, 20)
    result = package.compress(network("residual"), data, "params<=0.9x", folder=tmp_path / "small", **GIVEN)
    module = result.best().module()
    count = sum(one.numel() for one in module.parameters())
    assert count == result.best("params<=0.9x").measured.costs["params"] <= 0.9 * result.original.costs["params"]
    assert module(torch.zeros(2, 1, 28, 56)).shape == (2, 100)
    assert result.best().files == []
    with pytest.raises(package.DynasError, match="already holds a run"):
        package.compress(network("residual"), data, "params<=0.9x", folder=tmp_path / "small", **GIVEN)
    with pytest.raises(package.DynasError, match="unknown setting 'tunes'"):
        package.compress(network("residual"), data, tunes=3)
    with pytest.raises(
        package.DynasError, match="pytorch cannot take this network: its supernet was given as an object"
    ):
        package.compress(network("residual"), data, folder=tmp_path / "never", formats=["pytorch"], **GIVEN)
    assert not (tmp_path / "never").exists()
    again = package.compress(network("residual"), data, "params<=0.9x", folder=tmp_path / "small", resume=True, **GIVEN)
    assert again.compared == result.compared


def test_a_dataset_of_torch_is_data(tmp_path: Path) -> None:
    images, labels = next(FashionMNIST("embedded", 2, 60, 20).validation_batches())
    dataset = TensorDataset(images, labels)
    data = package.TorchDataset(dataset, classes=100)
    result = package.compress(network("residual"), data, "params<=0.9x", folder=tmp_path / "named", **GIVEN)
    assert result.original.quality == pytest.approx(
        100 * float((network("residual")(data._validation).argmax(1) == data._labels).float().mean())
    )
    with pytest.raises(
        package.DynasError, match=r"has 100 classes but the data have \d+: .*or classes=100 to the Dataset"
    ):
        package.compress(network("residual"), dataset, "params<=0.9x", folder=tmp_path / "inferred", **GIVEN)


def test_without_labels_agreement_is_what_counts(tmp_path: Path) -> None:
    photos = write_imagenet(tmp_path / "photos")
    named = "unlabelled", {"path": str(photos), "resolution": [20, 24], "calibration_size": 20, "cache": "ram"}
    model = Residual(channels=3).eval()
    result = package.compress(model, named, "params<=0.9x", folder=tmp_path / "run", **GIVEN)
    small, *_ = result.compared
    assert result.original.quality == 100
    assert small.quality == small.agreement == pytest.approx(100 - small.lost)
    with pytest.raises(package.DynasError, match="top1 needs labels"):
        package.compress(model, named, "params<=0.9x", folder=tmp_path / "other", judge="top1", **GIVEN)
