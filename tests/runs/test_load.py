"""Run folders are read as they were written, damaged ones are refused by name and line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dynas.errors import DynasError
from dynas.runs.load import find_runs, load_run
from tests.helpers.run_folders import FIVE, LATENCY, TOP1, search, write_search


def test_a_run_is_read_back(tmp_path: Path) -> None:
    run = search(tmp_path / "run", FIVE)
    assert len(run) == 5
    np.testing.assert_array_equal(run.values, np.array(FIVE, dtype=float))
    np.testing.assert_array_equal(run.losses[1], [-88, 4])
    assert run.measured.tolist() == [True, True, False, True, True]
    assert run.iterations.tolist() == [1, 1, 2, 2, 3]
    assert run.keys[4] == "ks0121-d4"
    assert json.loads(run.architectures[1])["ks"] == [3, 5, 7, 4]
    assert run.seconds.tolist() == [0.5] * 5
    assert run.choices["mode"] == "linas"


def test_the_front_goes_from_the_best_first_objective_to_the_worst(tmp_path: Path) -> None:
    assert search(tmp_path / "run", [*FIVE, (82, 3)]).front.tolist() == [4, 1, 5]


def test_rows_beyond_a_bound_are_measured_but_not_feasible(tmp_path: Path) -> None:
    run = search(tmp_path / "run", FIVE, [TOP1, LATENCY | {"bound": 6.0}])
    assert run.measured.tolist() == [True, True, False, True, True]
    assert run.feasible.tolist() == [False, True, False, True, False]
    assert run.front.tolist() == [1]
    assert np.isnan(run.feasible_losses[[0, 2, 4]]).all()


@pytest.mark.parametrize("lost", [1, 5, 60, 100])
def test_a_torn_last_line_is_passed_over_and_left_alone(tmp_path: Path, lost: int) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    path = folder / "results.csv"
    path.write_bytes(path.read_bytes()[:-lost])
    torn = path.read_bytes()
    complete = 5 if lost == 1 else 4  # a row that lacks nothing but its newline is whole
    assert len(load_run(folder)) == complete
    assert path.read_bytes() == torn


def test_a_row_torn_inside_a_quoted_line_break_is_passed_over(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    with (folder / "results.csv").open("a") as file:
        file.write('6,3,ks0000-d0,,,,0.5,2026-11-24,"RuntimeError: first line\n')
    assert load_run(folder).keys[-1] == "ks0121-d4"
    assert len(load_run(folder)) == 5


@pytest.mark.parametrize("text", ["", "index,iterat"])
def test_a_run_killed_before_its_first_row_is_empty(tmp_path: Path, text: str) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    (folder / "results.csv").write_text(text)
    run = load_run(folder)
    assert len(run) == 0
    assert run.values.shape == (0, 2)
    assert len(run.front) == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2,1,ks0121-d1", "2,one,ks0121-d1", "line 3 is not a row of dynas"),
        (",88,4,", ",88 percent,4,", "line 3 is not a row of dynas"),
        (",88,4,", ",88,", "line 3 is not a row of dynas: it has 9 cells for 10 columns"),
        ('"{""ks"": [3, 5, 7, 4]', '"[""ks"": [3, 5, 7, 4]', "line 3 is not a row of dynas"),
        ("top1 [%]", "top5 [%]", "line 1 has no column 'top1 [%]'"),
        ("architecture\n", "model\n", "line 1 has no column 'architecture'"),
    ],
)
def test_a_damaged_table_is_refused_by_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    path = folder / "results.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DynasError) as refused:
        load_run(folder)
    assert message in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    (folder / "results.csv").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(DynasError, match=r"cannot read '.*results\.csv'"):
        load_run(folder)


@pytest.mark.parametrize("field", ["status", "choices", "seed", "budget", "objectives"])
def test_a_run_json_with_a_missing_field_is_refused(tmp_path: Path, field: str) -> None:
    path = write_search(tmp_path / "run", FIVE) / "run.json"
    facts = json.loads(path.read_text())
    del facts[field]
    path.write_text(json.dumps(facts))
    with pytest.raises(DynasError, match=rf"'.*run\.json' .*no '{field}'"):
        load_run(path.parent)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ({"name": "top1", "direction": "max"}, "an objective without 'unit'"),
        ({"name": "top1", "direction": "up", "unit": "%"}, "direction 'up'"),
        ({"name": "top1", "direction": "max", "unit": "%", "bound": "high"}, "high"),
        ("top1", "no valid objectives"),
    ],
)
def test_an_objective_that_is_none_is_refused(tmp_path: Path, objective: object, message: str) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    facts = json.loads((folder / "run.json").read_text()) | {"objectives": [objective]}
    (folder / "run.json").write_text(json.dumps(facts))
    with pytest.raises(DynasError, match=message):
        load_run(folder)


def test_runs_are_found_at_and_beneath_the_given_folders_once(tmp_path: Path) -> None:
    second = write_search(tmp_path / "sweep" / "b", FIVE)
    first = write_search(tmp_path / "sweep" / "a" / "deep", FIVE)
    training = tmp_path / "sweep" / "training"
    training.mkdir()
    (training / "run.json").write_text("{}")
    assert find_runs([tmp_path]) == [first, second]
    assert find_runs([second]) == [second]
    assert find_runs([second, tmp_path / "sweep"]) == [second, first]


def test_paths_without_runs_are_refused_by_name(tmp_path: Path) -> None:
    run = write_search(tmp_path / "run", FIVE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DynasError, match=r"nowhere' does not exist"):
        find_runs([run, tmp_path / "nowhere"])
    with pytest.raises(DynasError, match=r"no run in '.*empty'"):
        find_runs([run, tmp_path / "empty"])
    with pytest.raises(DynasError, match=r"results\.csv' is not a folder"):
        find_runs([run / "results.csv"])
