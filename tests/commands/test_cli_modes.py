"""What modes can do from the command line, on the landscape that needs no weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.cli import BRIEF, dynas, read_rows

pytestmark = pytest.mark.slow

LANDSCAPE = ("data=imagenet_surrogate", "hardware=note10", "hydra.run.dir=run")
FEW = ("budget=24", "mode.start_size=null", "mode.population=8", "mode.predicted_evaluations=100")


def test_a_schedule_changes_the_parts_from_an_iteration_on_and_resumes(tmp_path: Path) -> None:
    schedule = 'mode.schedule={2: ["mode.population=4", "algo=agemoea", "predictor=svr_rbf"]}'
    done = dynas("search", *LANDSCAPE, *FEW, schedule, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "run")
    assert [sum(row["iteration"] == str(iteration) for row in rows) for iteration in (1, 2, 3, 4, 5)] == [8, 4, 4, 4, 4]
    results = tmp_path / "run" / "results.csv"
    results.write_text("".join(results.read_text().splitlines(keepends=True)[:12]))
    again = dynas("search", "resume=run", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert [row["key"] for row in read_rows(tmp_path / "run")] == [row["key"] for row in rows]


def test_a_run_starts_from_the_front_of_another_one_with_other_objectives(tmp_path: Path) -> None:
    first = dynas("search", *LANDSCAPE[:2], "hydra.run.dir=macs", *FEW, "objectives=[top1,macs]", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    front = (tmp_path / "macs" / "front.csv").read_text().splitlines()[1:]
    done = dynas("search", *LANDSCAPE, *FEW, "warm_start=macs", "budget=16", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    begun = [row["key"] for row in read_rows(tmp_path / "run")[: min(8, len(front))]]
    assert all(any(key in line for line in front) for key in begun)


def test_a_run_starts_from_a_list_of_architectures(tmp_path: Path) -> None:
    given = [{"ks": [size] * 20, "e": [3] * 20, "d": [2, 2, 2, 2, 3]} for size in (7, 3, 5)]
    (tmp_path / "mine.json").write_text(json.dumps(given))
    done = dynas("search", *LANDSCAPE, *FEW, "warm_start=mine.json", "budget=16", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    begun = [json.loads(row["architecture"]) for row in read_rows(tmp_path / "run")[:3]]
    assert [one["ks"][0] for one in begun] == [7, 3, 5]


def test_one_change_at_a_time_is_a_mode(tmp_path: Path) -> None:
    done = dynas("search", *LANDSCAPE, "mode=additive", "budget=100", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "run")
    assert [row["iteration"] for row in rows] == ["1"] * 91 + ["2"] * 9


def test_each_range_of_latency_gets_its_own_finds(tmp_path: Path) -> None:
    done = dynas(
        "search", *LANDSCAPE, "mode=oneshot", "algo=ga", "mode.training=30", "budget=42", "algo.population=10",
        "mode.predicted_evaluations=300", "mode.ranges={latency: [35, 45, 60]}", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    latencies = [float(row["latency [ms, table]"]) for row in read_rows(tmp_path / "run")[30:]]
    assert [max(latencies[start : start + 4]) <= end for start, end in ((0, 35), (4, 45), (8, 60))] == [True] * 3
    assert min(latencies[4:8]) > 35
    assert min(latencies[8:]) > 45


def test_patience_is_told_and_kept(tmp_path: Path) -> None:
    more = ("mode=validation", "algo=random", "algo.population=2", "budget=2000", "patience=1")
    done = dynas("search", *LANDSCAPE, *more, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the hypervolume has not grown for patience=1 iterations" in done.stdout
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["evaluations"] == len(read_rows(tmp_path / "run")) < 2000
    assert "patience=1" in facts["stopped"]


def test_more_objectives_than_suit_an_algorithm_are_warned_of_once(tmp_path: Path) -> None:
    done = dynas("search", *LANDSCAPE, *FEW, "algo=nsga2", "objectives=[top1,latency,macs]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("dynas: warning: ") == 1
    assert "nsga2" in done.stderr


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["algo=ga"], "algo=ga needs exactly 1 objective, 2 given"),
        (['mode.schedule={2: ["budget=3"]}'], "mode.schedule can change algo, predictor"),
        (
            ['mode.schedule={2: ["algo=agemoea"], a: ["algo=ga"]}'],
            "mode.schedule maps iterations to lists of overrides",
        ),
        (["mode.schedule=3"], "mode.schedule maps iterations to lists of overrides"),
        (['mode.schedule={2: ["algo=ga"]}'], "algo=ga needs exactly 1 objective"),
        (["warm_start=gone"], "'gone' is not a run folder"),
        (["warm_start=gone.json"], "warm_start=gone.json: architectures=gone.json: there is no such file"),
        (["patience=0"], "patience=0: give a positive number"),
        (["objectives.top1.predictor=tarot"], "unknown predictor 'tarot': choose one of gp, mlp, ridge"),
        (["mode=oneshot", "budget=100"], "budget=100 is smaller than mode.training=1000"),
        (["mode=oneshot", "mode.training=0"], "mode.examples=<run folder or CSV>"),
        (["mode=oneshot", "mode.training=5", "mode.examples=gone.csv"], "'gone.csv' does not exist"),
        (["mode=oneshot", "mode.ranges={macs: [3]}"], "unknown objective in mode.ranges 'macs'"),
        (["mode=oneshot", "mode.ranges=[3]"], "mode.ranges=[3]: give a mapping"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(overrides: list[str], sentence: str, tmp_path: Path) -> None:
    done = dynas("search", *LANDSCAPE, *overrides, cwd=tmp_path)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run" / "results.csv").exists()


ELASTIC = ("supernet.resolutions=[20,24,28]", "data.validation_size=60", "data.calibration_size=40")


@pytest.mark.parametrize("supernet", ["mbv3", "proxyless"])
def test_the_resolution_is_searched_where_there_are_several(supernet: str, tmp_path: Path) -> None:
    few = ("budget=8", "mode.start_size=5", "mode.population=3", "algo.population=6", "mode.predicted_evaluations=100")
    quick = ("objectives=[top1,latency,macs]", "algo=unsga3", *BRIEF)
    weights = "supernet.weights=random"
    done = dynas("search", f"supernet={supernet}", *ELASTIC, *few, *quick, weights, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "run")
    assert all(row["top1 [%]"] and row["latency [ms]"] and not row["error"] for row in rows)
    assert len({json.loads(row["architecture"])["r"] for row in rows} & {20, 24, 28}) > 1


@pytest.mark.parametrize("heights", ["[]", "[28]", "[28,20]", "[20,20]", "[0,28]"])
def test_resolutions_that_make_no_sense_are_told_in_one_sentence(heights: str, tmp_path: Path) -> None:
    done = dynas("search", f"supernet.resolutions={heights}", "supernet.weights=random", cwd=tmp_path)
    assert done.returncode == 1
    assert "give two or more image heights in ascending order" in done.stderr
    assert "Traceback" not in done.stderr
