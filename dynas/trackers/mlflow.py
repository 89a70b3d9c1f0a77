"""MLflow Tracking: https://mlflow.org/docs/latest/ml/tracking."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from datetime import datetime

from dynas.core.callback import Progress
from dynas.errors import DynasError
from dynas.system.extras import install
from dynas.trackers.base import Tracker, files, folder_id, front_table, parameters

try:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, Run
except ImportError as error:
    raise DynasError(f"track=mlflow needs MLflow: {install('mlflow')}") from error

FOLDER, ID = "dynas.folder", "dynas.id"  # tags: the run folder, and what its run is found again by
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}  # of minutes by default
STATUS = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}
LONGEST = 500  # characters of a parameter


class Mlflow(Tracker):
    """Writes a run to an MLflow server, a database or a folder.

    Args:
        uri: where to, such as ``http://localhost:5000``, ``sqlite:///mlflow.db`` or ``file:///srv/mlruns``; None:
            as MLFLOW_TRACKING_URI says, or MLflow's own default.
        experiment: name of the experiment, made where there is none.
    """

    def __init__(self, uri: str | None = None, experiment: str = "dynas") -> None:
        super().__init__()
        self._uri, self._experiment = uri, experiment

    def begin(self, progress: Progress) -> None:
        """Open a run, or the one that this folder has."""
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)  # a server that is down shall not hold the search up
        self._client = MlflowClient(self._uri)
        found = self._client.get_experiment_by_name(self._experiment)
        experiment = found.experiment_id if found else self._client.create_experiment(self._experiment)
        self._run = self._earlier(progress, experiment)
        if self._run is None:
            folder = "" if progress.folder is None else progress.folder.name
            self._run = self._client.create_run(experiment, run_name=folder or None)
            if progress.folder is not None:
                self._client.set_tag(self._id, FOLDER, str(progress.folder.absolute()))
                self._client.set_tag(self._id, ID, folder_id(progress.folder))
            params = [Param(safe(key), value[:LONGEST]) for key, value in parameters(progress).items()]
            for first in range(0, len(params), 100):  # as many as a request takes
                self._client.log_batch(self._id, params=params[first : first + 100])
        self._known = {one.step for one in self._history("seconds")}
        predicted = [one.name for one in progress.problem.objectives if not one.exact]
        self._quality = {one.step for name in predicted for one in self._history(f"kendall_tau/{name}")}

    def numbers(self, progress: Progress, step: int, values: Mapping[str, float]) -> None:
        """Log metrics, unless the run has them from before."""
        if step in (self._known if "seconds" in values else self._quality):
            return
        now = int(time.time() * 1000)
        if "seconds" in values and (told := progress.evaluations[-1].timestamp):
            now = int(datetime.fromisoformat(told).timestamp() * 1000)
        metrics = [Metric(safe(name), value, now, step) for name, value in values.items()]
        self._client.log_batch(self._id, metrics=metrics)

    def end(self, progress: Progress) -> None:
        """Log the front as a table, and the files of the run folder."""
        header, rows = front_table(progress)
        columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in header]
        table = dict(zip(header, columns, strict=True))
        self._client.log_dict(self._id, table, "front.json")
        for path in files(progress):
            self._client.log_artifact(self._id, str(path))
        self._client.set_terminated(self._id, STATUS.get(progress.status, "FINISHED"))

    @property
    def _id(self) -> str:
        assert self._run is not None
        return str(self._run.info.run_id)

    def _earlier(self, progress: Progress, experiment: str) -> Run | None:
        if progress.folder is None:
            return None
        runs = self._client.search_runs([experiment], f"tags.`{ID}` = '{folder_id(progress.folder)}'", max_results=1)
        if not runs:
            return None
        self._client.update_run(runs[0].info.run_id, status="RUNNING")
        return runs[0]

    def _history(self, name: str) -> list[Metric]:
        return list(self._client.get_metric_history(self._id, safe(name)))


def safe(name: str) -> str:
    """Return a name with the signs that MLflow allows in names of metrics and parameters."""
    return re.sub(r"[^\w\-./ ]", "_", name)
