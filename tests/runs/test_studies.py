"""Runs become Optuna studies that its tools open, and studies become measurements."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import numpy as np
import optuna
import pytest

from dynas import Constraint, DesignVariable, DynasError, Objective, SearchSpace, depth_gates, search
from dynas.commands.report import main as report
from dynas.errors import DynasWarning
from dynas.runs.examples import read_examples
from dynas.runs.load import load_run
from dynas.runs.study_reading import read_study
from dynas.runs.study_writing import write_studies
from dynas.runs.warm_start import front_of

SPACE = SearchSpace(
    [
        DesignVariable("depth", (1, 2, 3)),
        DesignVariable("width", (8, 16, 32), 3, depth_gates("depth", [3])),
        DesignVariable("kind", ("plain", (3, 3))),
    ]
)
OBJECTIVES = (Objective("quality", "max", "%"), Objective("latency", "min", "ms", bound=60))
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def measure(one: dict[str, Any]) -> tuple[float, float]:
    kept = one["width"][: one["depth"]]
    if kept == [32, 32]:
        raise RuntimeError("too wide")
    return 90 - 100 / sum(kept) - (one["kind"] == "plain"), 1.5 * sum(kept) + one["depth"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "mine"
    limit = Constraint("memory", lambda one: float(sum(one["width"])), 70, unit="kB")
    with pytest.warns(DynasWarning, match="failed"):
        search(SPACE, OBJECTIVES, measure, budget=40, mode="validation", algo="random", folder=folder,
               constraints=[limit])  # fmt: skip
    return folder


@pytest.fixture(scope="module", params=["sqlite:///{}/study.db", "journal:///{}/study.log"])
def place(request: pytest.FixtureRequest, run: Path) -> str:
    place = str(request.param).format(run.parent)
    assert report([str(run), "--optuna", place]) == 0
    return place


def opened(place: str) -> optuna.Study:
    kind, file = place.split(":///")
    if kind == "sqlite":
        return optuna.load_study(study_name=None, storage=place)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(file))
    return optuna.load_study(study_name=None, storage=storage)


def test_a_study_has_everything_that_was_measured(place: str, run: Path) -> None:
    study, known = opened(place), load_run(run)
    assert study.metric_names == ["quality [%]", "latency [ms]"]
    assert [one.name for one in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert len(study.trials) == len(known) == 40
    for trial, values, measured in zip(study.trials, known.values, known.measured, strict=True):
        assert trial.state.name == ("COMPLETE" if measured else "FAIL")
        assert trial.values == (values.tolist() if measured else None)
        assert measured or trial.user_attrs["error"] == "RuntimeError: too wide"
        assert len([name for name in trial.params if name.startswith("width")]) == trial.params["depth"]
        assert trial.datetime_start <= trial.datetime_complete
    best = {trial.user_attrs["row"] for trial in study.best_trials}
    assert best == {int(known.rows[row][0]) for row in known.front}, "bounds and constraints count"


def test_what_was_written_is_read_back(place: str, run: Path) -> None:
    known = load_run(run)
    genotypes, values = read_study(place, SPACE, OBJECTIVES)
    assert SPACE.keys(genotypes) == [key for key, one in zip(known.keys, known.measured, strict=True) if one]
    assert values.tolist() == known.values[known.measured].tolist()
    assert read_study(place, SPACE, OBJECTIVES[1:])[1].ravel().tolist() == values[:, 1].tolist()
    both, means = read_examples([place, run], SPACE, OBJECTIVES)
    assert len(both) == len(genotypes)
    assert means == pytest.approx(values)
    front = front_of(place, SPACE)
    result = search(SPACE, OBJECTIVES, measure, budget=3, mode="validation", algo="random", start=place, seed=1)
    assert [one.key for one in result.history] == SPACE.keys(front)[:3]


@pytest.fixture
def made(tmp_path: Path) -> optuna.Study:
    return optuna.create_study(
        study_name="own", storage=f"sqlite:///{tmp_path}/own.db", directions=["maximize", "minimize"]
    )


def asked(study: optuna.Study, options: list[Any], **extra: Any) -> None:
    def objective(trial: optuna.Trial) -> tuple[float, float]:
        depth = trial.suggest_int("depth", 1, 3)
        for gene in range(depth):
            trial.suggest_categorical(f"width[{gene}]", options)
        trial.suggest_categorical("kind", ["plain", "[3, 3]"])
        for name, value in extra.items():
            trial.suggest_categorical(name, [value])
        return float(depth), 2.0 * depth

    study.sampler = optuna.samplers.RandomSampler(seed=0)
    study.optimize(objective, n_trials=5)


def test_a_study_that_somebody_else_made_is_read(made: optuna.Study, tmp_path: Path) -> None:
    asked(made, [8, 16, 32])
    genotypes, values = read_study(f"sqlite:///{tmp_path}/own.db@own", SPACE, OBJECTIVES)
    assert values.tolist() == [[one, 2 * one] for one in values[:, 0]]
    assert (SPACE.canonical(genotypes) == genotypes).all()
    assert [SPACE.decode(row)["depth"] for row in genotypes] == values[:, 0].tolist()


def test_a_study_of_another_space_is_refused_with_what_differs(made: optuna.Study, tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path}/own.db"
    asked(made, [8, 16, 48])
    with pytest.raises(DynasError, match=r"another space: 'width\[0\]' can be 48 there, here it is one of 8, 16, 32"):
        read_study(place, SPACE, OBJECTIVES)
    with pytest.raises(DynasError, match=r"quality.*maximize, here it is 'min'"):
        read_study(place, SPACE, [Objective("quality", "min", "%"), OBJECTIVES[1]])
    with pytest.raises(DynasError, match="2 values a trial"):
        read_study(place, SPACE, OBJECTIVES[:1])


@pytest.mark.parametrize(
    ("space", "why"),
    [
        (SearchSpace([DesignVariable("depth", (1, 2, 3))]), r"this one has no 'width\[0\]', but depth"),
        (SearchSpace([*SPACE.variables, DesignVariable("more", (1, 2))]), "it has no parameter 'more'"),
        (SearchSpace([DesignVariable("depth", (2, 3, 4)), *SPACE.variables[1:]]), "has depth=1, here it is one of 2"),
    ],
)
def test_parameters_that_do_not_fit_are_named(space: SearchSpace, why: str, made: optuna.Study, tmp_path: Path) -> None:
    asked(made, [8, 16, 32])
    with pytest.raises(DynasError, match=why):
        read_study(f"sqlite:///{tmp_path}/own.db", space, OBJECTIVES)


def test_files_that_are_none_are_refused_and_none_is_made(tmp_path: Path, run: Path) -> None:
    for place in (f"sqlite:///{tmp_path}/gone.db", f"journal:///{tmp_path}/gone.log"):
        with pytest.raises(DynasError, match="there is no such file"):
            read_study(place, SPACE, OBJECTIVES)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "note.db").write_text("not a database, but long enough to be looked at as one" * 40)
    (tmp_path / "note.log").write_text("{]\nno journal\n")
    for place in (f"sqlite:///{tmp_path}/note.db", f"journal:///{tmp_path}/note.log"):
        with pytest.raises(DynasError, match="cannot read"):
            read_study(place, SPACE, OBJECTIVES)
    with pytest.raises(DynasError, match=r"give sqlite:///<file> or journal:///<file>"):
        write_studies([load_run(run)], "study.db")
    write_studies([load_run(run)], f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(DynasError, match="already holds a study"):
        write_studies([load_run(run)], f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(DynasError, match="cannot write"):
        write_studies([load_run(run)], f"sqlite:///{tmp_path}/missing/a.db")


class Quiet(WSGIRequestHandler):
    def log_message(self, *given: Any) -> None:
        pass


@pytest.fixture
def dashboard(run: Path, tmp_path: Path) -> Iterator[str]:
    """The address of an optuna-dashboard that shows the run."""
    app = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed: pip install it")
    write_studies([load_run(run)], f"sqlite:///{tmp_path}/study.db")
    with make_server("127.0.0.1", 0, app.wsgi(f"sqlite:///{tmp_path}/study.db"), handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_the_dashboard_shows_the_run(dashboard: str, run: Path) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1400, "height": 1000})
        wrong: list[str] = []
        view.on("pageerror", lambda error: wrong.append(str(error)))
        view.goto(f"{dashboard}/dashboard")
        view.get_by_text(str(run)).first.click()
        view.get_by_text("Pareto", exact=False).first.wait_for()
        view.locator(".js-plotly-plot").first.wait_for()
        view.get_by_text("quality [%]").first.wait_for()
        view.goto(f"{dashboard}/dashboard/studies/1/trials")
        view.get_by_text("Trial 1", exact=True).first.click()
        view.get_by_text("width[0]").first.wait_for()
        assert wrong == []
        browser.close()
    assert np.isfinite(load_run(run).values).any()
