"""``dynas predictors`` from outside: on a table of measurements, on the embedded supernet, and what is refused."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from dynas import Objective, SearchSpace
from dynas.predictors.named import predictor
from dynas.predictors.study import Study, Trial, averages, usable_sizes
from tests.helpers.cli import ROOT, command, dynas, read_rows

pytestmark = pytest.mark.slow

FAST = ("predictors=[ridge,svr_linear]", "trials=3", "sizes=[10,20]", "test=20")
TINY = ("objectives=[top1,macs]", "data.validation_size=100", "data.calibration_size=50")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, mbv3_space: SearchSpace) -> Path:
    """Sixty sub-networks with a noisy linear top1 and latency, a column per design variable."""
    rng = np.random.default_rng(0)
    rows = mbv3_space.sample_distinct(60, rng)
    values = 75 + mbv3_space.one_hot(rows) @ rng.normal(0, 1, (mbv3_space.n_features, 2)) / 5
    path = tmp_path_factory.mktemp("table") / "measured.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ks", "e", "d", "top1", "latency [ms]"])
        for row, (top1, latency) in zip(rows, values, strict=True):
            architecture = mbv3_space.decode(row)
            writer.writerow([*(json.dumps(architecture[name]) for name in ("ks", "e", "d")), top1, latency])
    return path


def test_a_table_of_measurements_gives_tables_and_a_picture(table: Path, tmp_path: Path) -> None:
    done = dynas(
        "predictors", *FAST, f"results={table}", "sizes=[20,10,50]", "jobs=2", "hydra.run.dir=run", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "60 measured sub-networks" in done.stdout
    assert "left out: training on 50" in done.stdout
    assert "trained on 20 examples, tested on 20 others, mean of 3 trials" in done.stdout
    assert "trial 3/3" in done.stdout
    trials, rows = read(tmp_path / "run" / "trials.csv"), read(tmp_path / "run" / "predictors.csv")
    assert len(trials) == 2 * 2 * 2 * 3
    assert {(row["objective"], row["predictor"], row["examples"]) for row in rows} == {
        (objective, name, size)
        for objective in ("top1", "latency")
        for name in ("ridge", "svr_linear")
        for size in ("10", "20")
    }
    first = rows[0]
    of_first = [
        float(row["kendall_tau"])
        for row in trials
        if all(row[key] == first[key] for key in ("objective", "predictor", "examples"))
    ]
    assert float(first["kendall_tau"]) == pytest.approx(np.mean(of_first))
    assert float(first["kendall_tau standard error"]) == pytest.approx(np.std(of_first, ddof=1) / 3**0.5)
    assert (tmp_path / "run" / "predictors.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["config"]["trials"] == 3


def test_the_embedded_supernet_is_measured_and_a_run_goes_on(tmp_path: Path) -> None:
    arguments = ("predictors=[ridge,stacked]", "examples=16", "sizes=[5,8]", "test=6", "trials=1", "jobs=1")
    done = dynas("predictors", *TINY, *arguments, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "left out: macs, computed exactly and never predicted" in done.stdout
    folder = tmp_path / "run"
    assert len(read_rows(folder)) == 16
    rows = read(folder / "predictors.csv")
    assert [(row["objective"], row["examples"], row["predictor"]) for row in rows] == [
        ("top1", size, name) for size in ("5", "8") for name in ("ridge", "stacked")
    ]
    assert all(row["mape standard error [%]"] == "" for row in rows), "one trial has no standard error"
    before = {name: (folder / name).read_bytes() for name in ("results.csv", "trials.csv", "predictors.csv")}
    (folder / "trials.csv").unlink()
    again = dynas("predictors", "resume=run", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert {name: (folder / name).read_bytes() for name in before} == before
    reused = dynas("predictors", *TINY, *arguments, "results=[run,run/results.csv]", "hydra.run.dir=new", cwd=tmp_path)
    assert reused.returncode == 0, reused.stderr
    assert (tmp_path / "new" / "trials.csv").read_bytes() == before["trials.csv"]


REFUSED = [
    (["results={table}", "predictors=[ridge,foo]"], "unknown predictor 'foo': choose one of gp, mlp, ridge, stacked"),
    (["results={table}", "predictors=[]"], "no predictors chosen"),
    (["results={table}", "objectives=[macs,params]"], "macs, params: computed exactly, never predicted"),
    (["results={table}", "objectives=[]"], "no objectives chosen"),
    (["results={table}", "test=500"], "60 examples are too few for sizes=[10, 20] and test=500: 510 are needed"),
    (["results={table}", "sizes=[2]"], "sizes=[2]: give training sizes of 5 or more"),
    (["results={table}", "test=1"], "test=1: give 2 test examples or more"),
    (["results={table}", "trials=0"], "trials=0"),
    (["results={table}", "jobs=0"], "jobs=0"),
    (["results={table}", "together=0"], "together=0"),
    (["results=/nowhere.csv"], "'/nowhere.csv' does not exist"),
    (["results=7"], "results=7: give a run folder, a results.csv or another CSV file, or a list of them"),
    (["examples=25"], "25 examples are too few for sizes=[10, 20] and test=20: 30 are needed"),
    (["results={table}", "supernet=foo"], "unknown supernet 'foo'"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(arguments) for arguments, _ in REFUSED])
def test_what_makes_no_sense_is_refused_in_one_sentence(
    arguments: list[str], message: str, table: Path, tmp_path: Path
) -> None:
    refused = dynas("predictors", *FAST, *(argument.format(table=table) for argument in arguments), cwd=tmp_path)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1, refused.stderr


def test_an_interrupt_ends_the_workers_and_says_how_to_go_on(table: Path, tmp_path: Path) -> None:
    child = subprocess.Popen(
        command("predictors", *FAST, f"results={table}", "trials=100000", "jobs=2", "hydra.run.dir=run"),
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert "60 measured sub-networks" in child.stdout.readline()
    time.sleep(3)
    child.send_signal(signal.SIGINT)
    printed, errors = child.communicate(timeout=60)  # hangs while any worker holds the pipes
    assert child.returncode == 130, errors
    assert "resume=" in printed
    assert "Traceback" not in errors


def test_help_and_config_are_shown(tmp_path: Path) -> None:
    assert "dynas predictors shows how well" in dynas("predictors", "--help", cwd=tmp_path).stdout
    assert "trials: 100" in dynas("predictors", "--cfg", "job", cwd=tmp_path).stdout


class Remembers:
    """Notes what it is given instead of learning; a feature of an example is its number."""

    seen: ClassVar[list[tuple[np.ndarray, np.ndarray]]] = []

    def fit(self, features: np.ndarray, target: np.ndarray) -> None:
        self.train = features[:, 0]

    def predict(self, features: np.ndarray) -> np.ndarray:
        self.seen.append((self.train, features[:, 0]))
        return np.ones(len(features))


def study(**settings: Any) -> Study:
    features = np.arange(50.0)[:, None]
    defaults: dict[str, Any] = {
        "sizes": (10, 20),
        "test": 25,
        "targets": {Objective("top1", "max", "%"): np.arange(1.0, 51.0)},
    }
    return Study(**({"features": features, "factories": {"ridge": predictor("ridge")}} | defaults | settings))


def test_a_trial_never_tests_on_what_it_trains_on_and_nests_its_training_sets() -> None:
    Remembers.seen.clear()
    tried = study(factories={"remembers": Remembers})
    tried.trial(1), tried.trial(2)
    (small, test), (large, same_test), (_, other_test), _ = Remembers.seen
    assert (len(small), len(large), len(test)) == (10, 20, 25)
    assert set(small) < set(large)
    assert not set(large) & set(test)
    np.testing.assert_array_equal(test, same_test)
    assert set(test) != set(other_test)


def test_the_same_seed_gives_the_same_trials_however_many_processes() -> None:
    alone, together = (list(study().run(3, jobs)) for jobs in (1, 2))
    assert alone == together
    assert list(study(seed=1).run(3, 1)) != alone


def test_averages_have_standard_errors_computed_by_hand() -> None:
    trials = [Trial("top1", "ridge", 10, number, mape, 0.5) for number, mape in ((1, 1.0), (2, 3.0))]
    (row,) = averages(trials)
    assert (row.objective, row.predictor, row.size, row.trials) == ("top1", "ridge", 10, 2)
    assert (row.mape, row.mape_error, row.kendall_tau, row.kendall_tau_error) == (2.0, 1.0, 0.5, 0.0)


def test_sizes_that_fit_are_sorted_and_distinct() -> None:
    assert usable_sizes(100, [60, 20, 20, 40, 61], 40) == (20, 40, 60)
