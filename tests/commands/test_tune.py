"""``tune`` of a search: its front is fine-tuned and measured again, kept, reported and exported."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dynas.commands.export import main as export
from dynas.commands.report import main as report
from dynas.commands.tuning import members
from dynas.data.fashion_mnist import FashionMNIST
from dynas.metrics.accuracy import recalibrated_top1
from dynas.runs.load import load_run
from dynas.runs.tuned import read_tuned
from dynas.supernet_api import load_supernet
from dynas.supernets.weights.subnet import load_subnet
from tests.helpers.cli import dynas

pytestmark = pytest.mark.slow

SEARCH = (
    *("search", "mode=validation", "algo=random", "algo.population=10", "budget=10", "objectives=[top1,macs]"),
    *("data.validation_size=200", "data.calibration_size=100", "hydra.run.dir=run"),
)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a search that tuned nothing at first and then its front, and what it printed last."""
    cwd = tmp_path_factory.mktemp("tuned")
    assert (done := dynas(*SEARCH, cwd=cwd)).returncode == 0, done.stderr
    assert not (cwd / "run" / "tuned.csv").exists()
    done = dynas("search", "resume=run", "tune=3", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return cwd / "run", done.stdout


def test_every_member_of_the_front_is_tuned_and_both_fronts_are_told(
    tuned: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, printed = tuned
    run, found = load_run(folder), read_tuned(load_run(folder))
    assert found is not None
    assert [row["key"] for row in table(folder / "tuned.csv")] == [run.keys[row] for row in run.front]
    assert (found.columns, found.failed) == ((0,), 0)
    assert (found.run.values[:, 1] == found.before[:, 1]).all(), "costs stay as they are"
    assert (found.run.values[:, 0] != found.before[:, 0]).any()
    front = table(folder / "tuned_front.csv")
    assert [row["key"] for row in front] == [found.run.keys[row] for row in found.run.front]
    searched = {row["key"]: row["top1 [%]"] for row in table(folder / "results.csv")}
    assert all(row["top1 searched [%]"] == searched[row["key"]] for row in front)
    volume = json.loads((folder / "run.json").read_text())["hypervolume"]
    assert f"hypervolume {volume['tuned']:.6g} after tuning, {volume['first']:.6g} as searched" in printed
    assert report([str(folder)]) == 0
    title = f"after tuning: {len(front)} of {len(run.front)} sub-networks are on the front"
    assert title in printed
    assert title in capsys.readouterr().out


def test_the_weights_that_are_kept_and_exported_are_those_that_were_measured(
    tuned: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = tuned
    supernet, data = load_supernet("mbv3"), FashionMNIST("embedded", 2, 200, 100)
    for row in table(folder / "tuned.csv"):
        subnet = supernet.subnet(json.loads(row["architecture"]))
        load_subnet(subnet, folder / f"tuned_row{row['index']}.safetensors")
        assert recalibrated_top1(subnet, data) == pytest.approx(float(row["top1 [%]"]))
    best = max(table(folder / "tuned_front.csv"), key=lambda row: float(row["top1 [%]"]))
    for flags, column, steps in (((), "top1 [%]", 3), (("--untuned",), "top1 searched [%]", 0)):
        to = tmp_path / str(steps)
        which = ("--row", best["index"]) if flags else ("--best", "top1")
        assert export([str(folder), *which, *flags, "--formats", "pytorch", "--to", str(to)]) == 0
        record = json.loads((to / "export.json").read_text())
        assert (record["key"], record["tuned_steps"]) == (best["key"], steps)
        assert record["measured"]["top1 [%]"] == float(best[column])
    printed = capsys.readouterr().out
    assert "these are the weights after 3 steps of tuning; --untuned: as searched" in printed
    assert "these are the weights as searched\n" in printed
    exported = [(tmp_path / steps / "model.safetensors").read_bytes() for steps in "30"]
    assert exported[0] != exported[1]


def test_a_search_that_is_killed_while_tuning_goes_on(tuned: tuple[Path, str], tmp_path: Path) -> None:
    folder = shutil.copytree(tuned[0], tmp_path / "run")
    whole = table(folder / "tuned.csv")
    lines = (folder / "tuned.csv").read_text().splitlines(keepends=True)
    kept = "".join(lines[:-1])
    (folder / "tuned.csv").write_text(kept + lines[-1][:20])
    (folder / f"tuned_row{whole[-1]['index']}.safetensors").unlink()
    done = dynas("search", "resume=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tuning 1 sub-network, 3 steps each" in done.stdout
    assert (folder / "tuned.csv").read_text().startswith(kept)
    values = [[row["top1 [%]"] for row in some] for some in (whole, table(folder / "tuned.csv"))]
    assert values[0] == values[1], "the same seed gives the same weights"


def test_the_original_is_tuned_too(tuned: tuple[Path, str]) -> None:
    run = load_run(tuned[0])
    front = [run.keys[row] for row in run.front]
    other = next(key for key in run.keys if key not in front)
    assert members(run) == front
    assert members(replace(run, facts={**run.facts, "original": other})) == [*front, other]
    assert members(replace(run, facts={**run.facts, "original": front[0]})) == front


def test_what_could_not_be_tuned_is_left_out(tuned: tuple[Path, str], tmp_path: Path) -> None:
    folder = shutil.copytree(tuned[0], tmp_path / "run")
    path = folder / "tuned.csv"
    rows = table(path)
    rows[0] |= {"top1 [%]": "", "error": "tuning diverged"}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    found = read_tuned(load_run(folder))
    assert found is not None
    assert (found.failed, len(found.run)) == (1, len(rows) - 1)
    assert np.isfinite(found.run.values).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tune=0",), "tune=0: give a number of steps of 1 or more, or null"),
        (("tune=5", "supernet.weights=random"), "the weights of supernet 'mbv3' are random: train them by dynas train"),
        (("tune=5", "objectives=[macs,params]"), "tune=5 changes none of these objectives: add top1 to them"),
        (("tune=5", "tune_recipe=nope"), "unknown recipe 'nope': choose one of bert,"),
        (("tune_recipe=bert",), "tune_recipe=bert says how to tune: give a number of steps too, tune=200"),
        (("tune=5", "data=imagenet_surrogate", "supernet=ofa_mbv3", "supernet.weights=random"), "without any samples"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_anything_is_measured(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = dynas("search", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert not list(tmp_path.glob("outputs/*/*/results.csv"))


def test_steps_cannot_change_once_a_front_is_tuned(tuned: tuple[Path, str]) -> None:
    done = dynas("search", "resume=run", "tune=4", cwd=tuned[0].parent)
    assert done.returncode == 1
    assert "was started with tune=3 (now 4): go on with the same config" in done.stderr
