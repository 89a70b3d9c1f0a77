"""Results travel: into run folders and back, to reports, and into notebooks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dynas import (
    Callback,
    Constraint,
    DesignVariable,
    DynasError,
    Objective,
    SearchInterrupted,
    SearchSpace,
    depth_gates,
    load_run,
    search,
)
from dynas.commands.report import main as report
from dynas.errors import DynasWarning
from dynas.modes.linas import Linas
from dynas.report.outputs import write_outputs
from dynas.runs.load import load_run as read_run_folder
from tests.helpers.run_folders import FIVE, write_search

SPACE = SearchSpace(
    [
        DesignVariable("depth", (2, 3, 4)),
        DesignVariable("width", (16, 32, 64), 4, depth_gates("depth", [4])),
        DesignVariable("kind", ("plain", (3, 3), None), aliases={0: {None: "plain"}}),
        DesignVariable("tail", (1, 2), 2, constants=(7,)),
    ]
)
OBJECTIVES = [Objective("cost", "min", "MAC"), Objective("quality", "max", "%", bound=60.0)]
MEMORY = Constraint("memory", lambda one: 4.0 * sum(one["width"][: one["depth"]]), 500, unit="kB")
MODE = Linas(population=6, predicted_evaluations=60, start_size=12)


def measure(architecture: dict[str, Any]) -> tuple[float, float]:
    kept = architecture["width"][: architecture["depth"]]
    if architecture["tail"][0] == 2 and len(kept) == 2:
        raise RuntimeError("too short")
    return float(sum(kept)) + architecture["tail"][1], 100 - 1000 / sum(kept)


def found(**settings: Any) -> Any:
    with pytest.warns(DynasWarning, match="evaluations failed"):
        return search(SPACE, OBJECTIVES, measure, mode=MODE, constraints=[MEMORY], **{"budget": 30, **settings})


@pytest.fixture(scope="module")
def result() -> Any:
    return found()


@pytest.fixture(scope="module")
def folder(result: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "run"
    result.save(folder)
    return folder


def alike(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Tell whether two tables agree but for the digits of seconds that results.csv leaves out."""
    return bool(one.drop(columns="seconds [s]").equals(other.drop(columns="seconds [s]")))


def test_a_saved_result_comes_back(result: Any, folder: Path) -> None:
    again = load_run(folder)
    assert alike(again.measurements, result.measurements)
    assert alike(again.front, result.front)
    assert list(again.hypervolume()) == pytest.approx(list(result.hypervolume()))
    assert list(again.qualities) == list(result.qualities)
    assert (again.folder, again.stopped) == (folder, "")
    for variable, before in zip(again.problem.space.variables, SPACE.variables, strict=True):
        assert variable == before
    with pytest.raises(DynasError, match="already holds a run"):
        result.save(folder)


def test_the_front_keeps_to_bounds_and_constraints(result: Any) -> None:
    table, front = result.measurements, result.front
    assert (front["memory [kB]"] <= 500).all()
    assert (front["quality [%]"] >= 60).all()
    assert (table["memory [kB]"] > 500).any(), "a search has to learn where the bound is"
    measured = table[table["error"] == ""]
    assert list(measured["memory [kB]"]) == [MEMORY.function(one) for one in measured["architecture"]]


def test_a_report_reads_it_like_any_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = read_run_folder(folder)
    assert sorted(run.keys[row] for row in run.front) == sorted(load_run(folder).front["key"])
    assert report([str(folder)]) == 0
    assert "linas" in capsys.readouterr().out
    assert report([str(folder), "--pick", "knee"]) == 0
    picked = capsys.readouterr().out
    assert "row " in picked
    assert "dynas export" not in picked, "a function of a program cannot be exported"


def test_reports_and_pictures_are_made_of_unsaved_results_too(result: Any, tmp_path: Path) -> None:
    table = result.report(found(seed=1), html=tmp_path / "a.html", pictures=tmp_path / "pictures")
    assert table.startswith("| runs | seeds |")
    assert "| 2 | 30 |" in table
    assert "memory" not in table
    assert (tmp_path / "pictures" / "fronts.svg").stat().st_size > 1000
    assert "</html>" in (tmp_path / "a.html").read_text()
    assert len(result.plot().axes) >= 1
    with pytest.raises(DynasError, match="cannot write"):
        result.report(html=tmp_path / "missing" / "a.html")


def test_a_notebook_shows_the_front_and_no_code() -> None:
    space = SearchSpace([DesignVariable("kind", ("<script>alert(1)</script>", "b"))])
    shown = search(space, [Objective("x", "min", "<b>")], lambda one: len(one["kind"]), budget=2)._repr_html_()
    assert "<script" not in shown
    assert "<b>" not in shown
    assert "1 of 2 sub-networks are on the front" in shown


def test_a_run_in_a_folder_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = found(budget=24)

    class Enough(Callback):
        def on_evaluation(self, progress: Any, evaluation: Any) -> None:
            if len(progress.evaluations) == 9:
                raise KeyboardInterrupt

    with pytest.raises(SearchInterrupted):
        search(
            SPACE, OBJECTIVES, measure, mode=MODE, constraints=[MEMORY], budget=24, folder=tmp_path / "run",
            callbacks=[Enough()],
        )  # fmt: skip
    interrupted = load_run(tmp_path / "run")
    assert (len(interrupted.history), interrupted.facts["status"]) == (9, "interrupted")
    with pytest.raises(DynasError, match="resume=True"):
        search(SPACE, OBJECTIVES, measure, folder=tmp_path / "run")
    resumed = found(budget=24, folder=tmp_path / "run", resume=True)
    assert list(resumed.measurements["key"]) == list(whole.measurements["key"])
    assert alike(load_run(tmp_path / "run").measurements, whole.measurements)
    assert resumed.facts["status"] == "finished"
    longer = found(budget=30, folder=tmp_path / "run", resume=True)
    assert list(longer.measurements["key"])[:24] == list(whole.measurements["key"])


def test_ctrl_c_loses_nothing_even_without_a_folder() -> None:
    def impatient(architecture: Any) -> Any:
        if len(asked) == 7:
            raise KeyboardInterrupt
        asked.append(architecture)
        return measure(architecture)

    asked: list[Any] = []
    with pytest.raises(SearchInterrupted, match="after 7 evaluations") as caught:
        search(SPACE, OBJECTIVES, impatient, mode=MODE, budget=24)
    result = caught.value.result
    assert (len(result.history), result.facts["status"]) == (7, "interrupted")
    assert result.architectures == asked


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "seed": ({"seed": 1}, "another seed"),
    "budget": ({"budget": 9}, r"budget=30.*not budget=9"),
    "mode": ({"mode": "validation"}, "mode=linas"),
    "algo": ({"algo": "random"}, "algo=pareto_local_search"),
    "predictor": ({"predictor": "ridge"}, "predictor=gp"),
    "constraints": ({"constraints": []}, "another constraints"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_search_does_not_go_on_there(what: str, folder: Path) -> None:
    changed, why = OTHERS[what]
    settings: dict[str, Any] = {"mode": MODE, "budget": 30, "constraints": [MEMORY], **changed}
    with pytest.raises(DynasError, match=why):
        search(SPACE, OBJECTIVES, measure, folder=folder, resume=True, **settings)


def test_another_space_does_not_go_on_there(folder: Path) -> None:
    space = SearchSpace([DesignVariable("depth", (2, 3, 4, 5))])
    with pytest.raises(DynasError, match="another space"):
        search(space, OBJECTIVES, lambda one: (1.0, 2.0), mode=MODE, constraints=[], budget=30, folder=folder,
               resume=True)  # fmt: skip


def test_a_folder_without_a_run_is_begun_and_a_file_of_others_is_kept(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "results.csv").write_text("mine\n")
    with pytest.raises(DynasError, match=r"no run\.json"):
        search(SPACE, OBJECTIVES, measure, budget=5, folder=tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "results.csv").read_text() == "mine\n"


def test_what_was_measured_again_has_its_mean(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    rows = (folder / "results.csv").read_text().splitlines()
    header = "index,iteration,key,latency [ms],seconds [s],timestamp,error,architecture"
    cells = next(row for row in rows if row.startswith("2,")).split(",", 3)
    architecture = rows[2][rows[2].index('"{') :]
    (folder / "confirmed.csv").write_text(f"{header}\n1,1,{cells[2]},6,0.1,,,{architecture}\n")
    with pytest.warns(DynasWarning, match="kept no search space"):
        loaded = load_run(folder)
    assert loaded.measurements["latency [ms]"].loc[2] == 5.0
    assert np.isnan(loaded.measurements["latency [ms]"].loc[3])
    copied = loaded.save(tmp_path / "copy")
    assert read_run_folder(tmp_path / "copy").values[1].tolist() == [88.0, 5.0]
    assert copied.front["latency [ms]"].tolist() == loaded.front["latency [ms]"].tolist()


@pytest.mark.parametrize(
    ("space", "why"),
    [
        ([{"name": "a"}], "describes no search space"),
        ([{"name": "a", "choices": [1, 1], "length": 1}], "repeats a choice"),
        ([{"name": "a", "choices": [1], "length": 10**9}], "describes no search space"),
        (["a"], "describes no search space"),
        ({"a": 1}, "is not a list"),
    ],
)
def test_a_damaged_space_is_one_sentence(space: Any, why: str, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps(facts | {"space": space}))
    with pytest.raises(DynasError, match=why):
        load_run(tmp_path / "run")


def test_a_column_of_a_constraint_that_is_gone_is_told(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")
    text = (tmp_path / "run" / "results.csv").read_text()
    (tmp_path / "run" / "results.csv").write_text(text.replace("memory [kB]", "else [kB]"))
    with pytest.raises(DynasError, match="does not tell its constraints"):
        write_outputs(tmp_path / "run")
