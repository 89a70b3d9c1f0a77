"""Run folders of earlier versions can be reported, exported, gone on with and transferred."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from dynas.compose.overrides import flat
from dynas.data.movielens import WEIGHTS, movielens_file
from dynas.runs.load import load_run
from dynas.runs.record import read_run
from dynas.supernets.weights.download import sha256
from dynas.supernets.weights.load import embedded_path
from tests.helpers.cli import BRIEF, ROOT, dynas, read_rows

pytestmark = pytest.mark.slow

OLD = ROOT / "tests" / "runs" / "old_runs"
SEARCHES = ["default", "old_keys", "ncf", "note10", "transformer", "paper"]
Old = Callable[[str], Path]
BEFORE = {  # weights that the package had when these runs were made
    "b3c73d024f6179d096e62433c444111850e7d908add6abf7f02fdc7851089928": "mbv3",
    "d0804fa1de192f629f3db6398aae94251aaf06038a64ea81e585eae6a5692d5c": "transformer",
    "a66a073969771f9be0e69fe15dbce35557b5a3253098ed32df82e8bc5dd840bb": "ncf",
}


@pytest.fixture
def old(tmp_path: Path) -> Old:
    """Copies an old run, with the paths in it, as if the package's weights had never been trained anew."""
    embedded = {family: sha256(embedded_path(family)) for family in ("mbv3", "transformer")}
    embedded["ncf"] = sha256(movielens_file(WEIGHTS))

    def copy(name: str) -> Path:
        folder = Path(shutil.copytree(OLD / name, tmp_path / name))
        facts = (folder / "run.json").read_text().replace("/old_runs/", f"{tmp_path}/")
        for before, family in BEFORE.items():
            facts = facts.replace(before, embedded[family])
        (folder / "run.json").write_text(facts)
        return folder

    return copy


def begun(folder: Path, rows: int) -> list[dict[str, str]]:
    """Cut a run back to its first rows, as if it had been killed then, and return them."""
    lines = (folder / "results.csv").read_text().splitlines(keepends=True)
    (folder / "results.csv").write_text("".join(lines[: 1 + rows]))
    (folder / "confirmed.csv").unlink(missing_ok=True)
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(facts | {"status": "running"}))
    return read_rows(folder)


def test_they_are_reported_together_and_alone(old: Old) -> None:
    folders = [str(old(name)) for name in ("default", "paper")]
    done = dynas("report", *folders, cwd=Path(folders[0]).parent)
    assert done.returncode == 0, done.stderr
    for name in ("ncf", "note10", "transformer", "evaluate", "transfer"):
        done = dynas("report", str(old(name)), cwd=Path(folders[0]).parent)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["default", "ncf", "transformer", "evaluate"])
def test_they_are_exported(name: str, old: Old) -> None:
    folder = old(name)
    best = load_run(folder).objectives[0].name
    done = dynas("export", str(folder), "--best", best, "--formats", "pytorch", "--to", "out", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    record = json.loads((folder.parent / "out" / "export.json").read_text())
    assert record["measured"]["latency_quality"] in ("ok", "unsteady", "disturbed")
    assert record["measured"]["latency [ms]"] > 0


@pytest.mark.parametrize("name", SEARCHES)
def test_a_killed_one_goes_on(name: str, old: Old) -> None:
    folder = old(name)
    budget = len(read_rows(folder))
    before = begun(folder, budget - 2)
    began = flat(read_run(folder)["config"])
    done = dynas("search", f"resume={folder}", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    now = flat(read_run(folder)["config"])
    assert {key: value for key, value in now.items() if key in began} == {
        key: began[key] for key in now if key in began
    }
    assert {"hardware.min_repeats", "mode.choice", "predictor.processes", "known"} & {*began} <= {*now}
    after = read_rows(folder)
    assert after[: len(before)] == before
    assert len(after) == budget
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"


def test_an_evaluation_and_a_transfer_go_on(old: Old) -> None:
    old("default")
    for name in ("evaluate", "transfer"):
        folder = old(name)
        rows = len(read_rows(folder))
        before = begun(folder, 1)
        done = dynas(name, f"resume={folder}", cwd=folder.parent)
        assert done.returncode == 0, done.stderr
        assert read_rows(folder)[:1] == before
        assert len(read_rows(folder)) == rows


def test_the_recommender_of_movielens_has_a_name_of_its_own_now(old: Old) -> None:
    folder = old("ncf")
    for form in (None, 1):  # whatever the format
        facts = json.loads((folder / "run.json").read_text()) | ({"format": form} if form else {})
        facts["overrides"] = [*facts["overrides"], "supernet.weights=embedded"]
        (folder / "run.json").write_text(json.dumps(facts))
        run = read_run(folder)
        assert run["choices"]["supernet"] == "ncf_movielens"
        assert run["config"]["supernet"]["weights"] == "movielens"
        assert [one for one in run["overrides"] if one.startswith("supernet")] == ["supernet=ncf_movielens"]


def test_one_is_transferred(old: Old) -> None:
    folder = old("old_keys")
    done = dynas("transfer", str(folder), "hardware.batch_size=1", "hydra.run.dir=moved", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    assert len(read_rows(folder.parent / "moved")) == len(load_run(folder).front)


def test_a_study_of_predictors_goes_on(old: Old) -> None:
    old("default")
    folder = old("predictors")
    trials = pd.read_csv(folder / "trials.csv")
    done = dynas("predictors", f"resume={folder}", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    again = pd.read_csv(folder / "trials.csv")
    names, numbers = trials.columns[:4], trials.columns[4:]
    assert again[names].equals(trials[names])
    before = trials[numbers].to_numpy()
    assert again[numbers].to_numpy() == pytest.approx(before, rel=1e-9)  # another processor rounds otherwise


def test_a_training_goes_on_by_the_recipe_and_on_the_images_that_it_began_with(old: Old) -> None:
    folder = old("train")
    done = dynas("train", f"resume={folder}", "validation.subnets=0", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    card = (folder / "model_card.md").read_text()
    assert "trained on fashion_mnist\n" in card
    assert "- random_subnets: 2\n" in card


@pytest.mark.parametrize("command", [("export", "default", "--best", "top1"), ("search", "resume=default")])
def test_where_the_packages_weights_are_others_now_it_is_said_what_can_be_done(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(OLD / "default", tmp_path / "default"))
    before = (folder / "results.csv").read_text()
    done = dynas(*command, cwd=tmp_path)
    assert done.returncode == 1
    assert "measure its front with the weights that the package has now: dynas evaluate architectures=" in done.stderr
    assert (folder / "results.csv").read_text() == before
    measured = dynas("evaluate", "architectures=default", *BRIEF, "hydra.run.dir=again", cwd=tmp_path)
    assert measured.returncode == 0, measured.stderr
    assert len(read_rows(tmp_path / "again")) == len(load_run(folder).front)
