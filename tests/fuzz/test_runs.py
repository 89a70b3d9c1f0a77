"""Damaged run folders: reported, gone on with, or refused in one sentence."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas.core.evaluation import Evaluation, Measurement
from dynas.runs.load import load_run
from dynas.runs.store import RunStore
from dynas.supernets.mbv3 import search_space
from tests.fuzz.commands import outcome
from tests.fuzz.mutations import accepted_or_refused, damaged, damaged_cells, damaged_tree, fuzz, written

pytestmark = pytest.mark.slow

SEARCH = (
    *("search", "supernet=mbv3", "data=imagenet_surrogate", "hardware=note10", "mode=validation", "algo=random"),
    *("algo.population=6", "budget=12"),
)
PREDICTORS = "iteration,objective,examples,mape [%],kendall_tau\n1,top1,6,0.5,0.9\n2,top1,12,,0.95\n"
NEW = Evaluation(1, 1, "new", search_space().smallest(), Measurement((1.0, 2.0)), "now")
FILES = ("results.csv", "run.json", "predictors.csv", "confirmed.csv", "tuned.csv")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with every kind of file in its folder."""
    folder = tmp_path_factory.mktemp("original")
    assert outcome([*SEARCH, "hydra.run.dir=run"], folder) == 0
    rows = list(csv.DictReader((folder / "run" / "results.csv").open(newline="")))
    for other, without in (("confirmed.csv", "top1"), ("tuned.csv", "latency")):
        with (folder / "run" / other).open("w", newline="") as file:
            names = [name for name in rows[0] if not name.startswith(without)]
            table = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
            table.writeheader()
            table.writerows(rows[:4])
    (folder / "run" / "predictors.csv").write_text(PREDICTORS)
    for name in ("front.csv", "front.png", "hypervolume.csv", "hypervolume.png", "search.log"):
        (folder / "run" / name).unlink()
    return folder / "run"


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    shutil.copytree(run, tmp_path / "run")
    return tmp_path / "run"


def restore(run: Path, copy: Path) -> None:
    for name in FILES:
        shutil.copy(run / name, copy / name)


def damage(data: st.DataObject, path: Path) -> None:
    content = path.read_bytes()
    if path.suffix == ".json" and data.draw(st.booleans()):
        written(path, json.dumps(data.draw(damaged_tree(json.loads(content)))))
    elif path.suffix == ".csv" and data.draw(st.booleans()):
        written(path, data.draw(damaged_cells(content.decode(), ",")))
    else:
        written(path, data.draw(damaged(content)))


def report(copy: Path) -> None:
    for more in ([], ["--format", "json"], ["--html", "page.html"], ["--pick", "knee"]):
        status = outcome(["report", "run", *more], copy.parent)
        if status == 0 and more[:1] == ["--html"]:
            page = (copy.parent / "page.html").read_text(encoding="utf-8")
            assert page.endswith("</html>\n")
            assert "<b>" not in page
            assert page.count("<script") == 2


@pytest.mark.parametrize("name", FILES)
def test_reports_of_damaged_runs(run: Path, copy: Path, name: str) -> None:
    @fuzz(15)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        restore(run, copy)
        damage(data, copy / name)
        report(copy)

    report(copy)
    check()


@fuzz(150)
@given(st.data())
def test_damaged_results_that_go_on(copy: Path, run: Path, data: st.DataObject) -> None:
    restore(run, copy)
    damage(data, copy / "results.csv")
    before = (copy / "results.csv").read_bytes()
    objectives = load_run(run).objectives

    def reopen() -> None:
        store = RunStore(copy, search_space(), objectives)
        store.append(replace(store.history[0], key="again") if store.history else NEW)
        store.close()

    if accepted_or_refused(reopen):
        assert (copy / "results.csv").read_bytes().endswith(b'}"\n')
    else:
        assert (copy / "results.csv").read_bytes() == before, "what is refused is left alone"


@fuzz(4)
@given(st.data())
def test_damaged_runs_that_go_on(run: Path, copy: Path, data: st.DataObject) -> None:
    restore(run, copy)
    damage(data, copy / data.draw(st.sampled_from(FILES)))
    before = (copy / "results.csv").read_bytes()
    if outcome(["search", "resume=run"], copy.parent) == 1:
        assert (copy / "results.csv").read_bytes() == before, "what is refused is left alone"


@fuzz(20)
@given(st.data())
def test_damaged_runs_that_others_start_from(run: Path, copy: Path, data: st.DataObject) -> None:
    restore(run, copy)
    damage(data, copy / data.draw(st.sampled_from(FILES)))
    outcome(["export", "run"], copy.parent)
    outcome(["transfer", "run", "hydra.run.dir=transfer", "--cfg", "job"], copy.parent)
