"""A network of the user's own: searched, exported, resumed and trained from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.helpers.cli import ROOT, dynas, read_rows
from tests.helpers.networks import network

pytestmark = pytest.mark.slow

NETWORK = "supernet.model=mine:network"
SHAPE = ("supernet.resolution=[28,56]", "supernet.channels=1", "supernet.divisor=4", "supernet.shares=[0.5,1.0]")
DATA = ("data.validation_size=60", "data.calibration_size=20")


@pytest.fixture(scope="module")
def cwd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with mine.py and the weights of its network."""
    folder = tmp_path_factory.mktemp("mine")
    lines = ["import sys", f"sys.path.append({str(ROOT)!r})", "from tests.helpers.networks import Residual"]
    (folder / "mine.py").write_text("\n".join([*lines, "def network():", "    return Residual()"]))
    torch.save(network("residual").state_dict(), folder / "net.pth")
    return folder


@pytest.fixture(scope="module")
def run(cwd: Path) -> Path:
    settings = (
        "supernet.weights=net.pth",
        "objectives=[top1,macs]",
        "objectives.top1.bound=0x",
        "objectives.macs.bound=0.8x",
        "mode=validation",
        "budget=4",
        "algo=random",
        "algo.population=2",
    )
    done = dynas("search", "supernet=prune", NETWORK, *SHAPE, *DATA, *settings, "hydra.run.dir=run", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return cwd / "run"


def test_a_search_measures_sub_networks_of_it(run: Path) -> None:
    rows = read_rows(run)
    assert len(rows) == 4
    assert all(set(json.loads(row["architecture"])) == {"b", "w"} for row in rows)
    assert len({row["macs [MAC]"] for row in rows}) > 1


def test_the_original_comes_first_and_bounds_are_shares_of_it(run: Path) -> None:
    facts, rows = json.loads((run / "run.json").read_text()), read_rows(run)
    assert rows[0]["key"] == facts["original"] == "b11-w11111"
    assert [one["bound"] for one in facts["objectives"]] == [0.0, 0.8 * float(rows[0]["macs [MAC]"])]
    done = dynas("report", "run", "--pick", "macs<=0.8x", cwd=run.parent)
    assert done.returncode == 0, done.stderr
    assert NETWORK in done.stdout, "the command that exports it repeats what names code"
    done = dynas("search", "objectives=[top1,macs]", "objectives.macs.bound=0.8x", cwd=run.parent)
    assert "supernet 'mbv3' is not made from one: give a number" in done.stderr
    done = dynas(
        "evaluate", "supernet=prune", NETWORK, *SHAPE, *DATA, "objectives=[macs]", "objectives.macs.bound=0.5x",
        "architectures=[smallest]", "hydra.run.dir=shares", cwd=run.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [row["key"] for row in read_rows(run.parent / "shares")] == ["b11-w11111", "b00-w00000"]


def test_somebody_elses_run_does_not_run_code(run: Path) -> None:
    for command in (("export", "run", "--best", "macs"), ("search", "resume=run")):
        done = dynas(*command, cwd=run.parent)
        assert done.returncode != 0
        assert "names code to run" in done.stderr
        assert "repeat it on the command line" in done.stderr
    done = dynas("export", "run", "--best", "macs", "supernet.model=other:network", cwd=run.parent)
    assert "was not started with supernet.model=other:network" in done.stderr


def test_what_was_measured_is_exported_once_its_code_is_trusted(run: Path) -> None:
    done = dynas("export", "run", "--best", "macs", NETWORK, "--formats", "pytorch,torch_export", cwd=run.parent)
    assert done.returncode == 0, done.stderr
    (folder,) = run.glob("export_row*")
    record = json.loads((folder / "export.json").read_text())
    assert all(one["matches"] for one in record["formats"].values())


def test_a_run_goes_on_once_its_code_is_trusted(run: Path) -> None:
    done = dynas("search", "resume=run", NETWORK, "budget=5", cwd=run.parent)
    assert done.returncode == 0, done.stderr
    assert len(read_rows(run)) == 5


def test_its_sub_networks_are_fine_tuned_and_searched(cwd: Path) -> None:
    train = ("data=fashion_mnist", *DATA, "start=net.pth", "recipe.epochs=1", "recipe.largest_epochs=0")
    more = ("recipe.teacher=original", "recipe.batch_size=1000", "validation.subnets=0", "hydra.run.dir=trained")
    done = dynas("train", "supernet=prune", NETWORK, *SHAPE, *train, *more, cwd=cwd)
    assert done.returncode == 0, done.stderr
    settings = ("supernet.weights=trained/weights.safetensors", "objectives=[top1,macs]", "architectures=[largest]")
    done = dynas("evaluate", "supernet=prune", NETWORK, *SHAPE, *DATA, *settings, "hydra.run.dir=judged", cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert read_rows(cwd / "judged")[0]["top1 [%]"]
