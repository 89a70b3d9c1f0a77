"""Trackers are told what a search finds, each in its own files, and none of them costs a measurement."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from dynas import Callback, DesignVariable, DynasError, Objective, Progress, SearchSpace, search
from dynas.errors import DynasWarning
from dynas.modes.linas import Linas
from dynas.trackers.base import Tracker, front_table, parameters

SPACE = SearchSpace([DesignVariable("depth", (1, 2, 3, 4)), DesignVariable("width", (8, 16, 32), 2)])
OBJECTIVES = [Objective("quality", "max", "%"), Objective("latency", "min", "ms")]


def measure(one: dict[str, Any]) -> tuple[float, float]:
    return 50.0 + one["depth"] + sum(one["width"]) / 8, one["depth"] * (1.5 + sum(one["width"]))


def followed(*trackers: Callback, folder: Path | None = None, budget: int = 14, resume: bool = False) -> Any:
    mode = Linas(population=4, predicted_evaluations=30, start_size=8)
    return search(
        SPACE, OBJECTIVES, measure, mode=mode, predictor="ridge", budget=budget, callbacks=trackers, folder=folder,
        resume=resume,
    )  # fmt: skip


class Noted(Tracker):
    """Keeps what a tracker is told; fails on demand."""

    def __init__(self, *failing: str) -> None:
        super().__init__()
        self.failing = failing
        self.told: list[str] = []
        self.values: dict[int, dict[str, float]] = {}
        self.front: list[list[str]] = []

    def _note(self, what: str) -> None:
        self.told.append(what)
        if what in self.failing:
            raise ConnectionError("nobody answers")

    def begin(self, progress: Progress) -> None:
        self._note("begin")
        self.parameters = parameters(progress)

    def numbers(self, progress: Progress, step: int, values: Any) -> None:
        self._note("numbers")
        self.values.setdefault(step, {}).update(values)

    def end(self, progress: Progress) -> None:
        self._note("end")
        self.front = front_table(progress)[1]


def test_a_tracker_hears_of_everything() -> None:
    noted = Noted()
    result = followed(noted)
    table = result.measurements
    assert [one["quality"] for one in noted.values.values()] == list(table["quality [%]"])
    assert noted.values[14]["hypervolume"] == pytest.approx(result.hypervolume().iloc[-1])
    assert {"mape/quality", "kendall_tau/latency"} <= set(noted.values[8])
    assert noted.parameters["mode"] == "linas"
    assert noted.parameters["mode.population"] == "4"
    assert (noted.parameters["seed"], noted.parameters["budget"]) == ("0", "14")
    assert sorted(int(row[0]) for row in noted.front) == sorted(result.front.index)
    assert noted.told[0] == "begin"
    assert noted.told[-1] == "end"


@pytest.mark.parametrize(("failing", "tries"), [(("begin",), 4), (("numbers",), 5), (("end",), None)])
def test_one_that_is_down_costs_no_measurement_and_is_left_alone(failing: tuple[str, ...], tries: int | None) -> None:
    noted = Noted(*failing)
    with pytest.warns(DynasWarning, match="nobody answers.*goes on without it"):
        result = followed(noted)
    assert (len(result.history), result.stopped) == (14, "")
    assert tries is None or len(noted.told) == tries, "three times, and once more at the end"
    assert list(result.measurements["key"]) == list(followed().measurements["key"])


def test_tensorboard_has_scalars_texts_and_pictures(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: pip install tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from dynas.trackers.tensorboard import TensorBoard

    followed(TensorBoard(), folder=tmp_path / "run", budget=10)
    result = followed(TensorBoard(), folder=tmp_path / "run", resume=True)
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    told = {one.step: one.value for one in events.Scalars("latency")}
    assert told == pytest.approx(dict(result.measurements["latency [ms]"]))
    assert events.Scalars("hypervolume")[-1].value == pytest.approx(result.hypervolume().iloc[-1])
    assert {"mape/quality", "kendall_tau/latency"} <= set(events.Tags()["scalars"])
    assert {"front", "hypervolume"} <= set(events.Tags()["images"])
    (front, *_) = events.Tensors("front/text_summary")[-1].tensor_proto.string_val
    assert front.decode().count("\n") == 1 + len(result.front)


@pytest.fixture(params=["folder", "database"])
def uri(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    pytest.importorskip("mlflow", reason="mlflow is not installed: pip install mlflow-skinny")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return f"file://{tmp_path}/mlruns" if request.param == "folder" else f"sqlite:///{tmp_path}/mlflow.db"


def test_mlflow_has_parameters_metrics_and_files_of_one_run(tmp_path: Path, uri: str) -> None:
    from mlflow import MlflowClient

    from dynas.trackers.mlflow import Mlflow

    followed(Mlflow(uri), folder=tmp_path / "it's a run", budget=10)
    result = followed(Mlflow(uri), folder=tmp_path / "it's a run", resume=True)
    client = MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name("dynas").experiment_id])
    told = client.get_metric_history(run.info.run_id, "latency")
    assert [(one.step, one.value) for one in told] == list(result.measurements["latency [ms]"].items())
    assert run.data.params["mode.population"] == "4"
    assert run.info.status == "FINISHED"
    files = {one.path for one in client.list_artifacts(run.info.run_id)}
    assert {"results.csv", "front.csv", "front.png", "run.json", "front.json"} <= files
    table = json.loads(Path(client.download_artifacts(run.info.run_id, "front.json")).read_text())
    assert len(table["latency [ms]"]) == len(result.front)


def test_an_mlflow_server_that_is_down_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed: pip install mlflow-skinny")
    from dynas.trackers.mlflow import Mlflow

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # bound, and nobody listens
        with pytest.warns(DynasWarning, match="goes on without it"):
            result = followed(Mlflow(f"http://127.0.0.1:{port}"))
    assert len(result.history) == 14


def test_wandb_writes_files_offline(tmp_path: Path) -> None:
    wandb = pytest.importorskip("wandb", reason="wandb is not installed: pip install wandb")
    from dynas.trackers.wandb import Wandb

    result = followed(Wandb(mode="offline"), folder=tmp_path / "run")
    wandb.teardown()  # its process writes on after a run has ended; at the end of ours it is waited for
    (written,) = (tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb")
    content = written.read_bytes()
    assert b"kendall_tau/latency" in content
    assert b"mode.population" in content
    assert len(result.history) == 14
    with pytest.raises(DynasError, match=r"track\.wandb\.mode.*online"):
        Wandb(mode="loud")
