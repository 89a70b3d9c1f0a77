"""What is derived from a run agrees with what is computed by hand."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from PIL import Image

from dynas.errors import DynasError
from dynas.report.outputs import write_outputs
from tests.helpers.run_folders import FIVE, FIVE_CURVE, LATENCY, MACS, NAN, TOP1, write_search


def read(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def check_picture(path: Path) -> None:
    """A picture can be decoded and is not of one colour."""
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.width > 600
        assert len(picture.convert("L").getcolors(256) or []) > 10


def test_the_hypervolume_is_the_one_computed_by_hand(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    summary = write_outputs(folder)
    header, *rows = read(folder / "hypervolume.csv")
    assert header == ["evaluations", "hypervolume", "reference top1 [%]", "reference latency [ms]"]
    assert [int(row[0]) for row in rows] == [1, 2, 3, 4, 5]
    assert [float(row[1]) for row in rows] == FIVE_CURVE
    assert {(row[2], row[3]) for row in rows} == {("80", "10")}
    assert summary.hypervolume == 52
    assert summary.reference == (80, 10)
    assert summary.front.tolist() == [4, 1]


def test_the_front_holds_whole_rows_of_the_results(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    write_outputs(folder)
    header, *rows = read(folder / "results.csv")
    assert read(folder / "front.csv") == [header, rows[4], rows[1]]


def test_a_given_reference_point_is_used(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    assert write_outputs(folder, reference=(87, 6)).hypervolume == 1 * 2
    with pytest.raises(DynasError, match="3 values for 2 objectives"):
        write_outputs(folder, reference=(1, 2, 3))


def test_rows_beyond_a_bound_add_nothing_but_count_for_the_reference(tmp_path: Path) -> None:
    summary = write_outputs(write_search(tmp_path / "run", FIVE, [TOP1, LATENCY | {"bound": 6.0}]))
    assert summary.reference == (80, 10)
    assert summary.hypervolume == 48
    assert summary.front.tolist() == [1]


def test_one_objective(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", [(6,), (8,), (NAN,), (5,), (7,)], [LATENCY])
    summary = write_outputs(folder)
    assert [float(row[1]) for row in read(folder / "hypervolume.csv")[1:]] == [2, 2, 2, 3, 3]
    assert summary.front.tolist() == [3]
    check_picture(folder / "front.png")


def test_three_objectives(tmp_path: Path) -> None:
    # reference (80, 10, 300): boxes of 5 x 5 x 200 and 10 x 2 x 100, which share 5 x 2 x 100
    folder = write_search(tmp_path / "run", [(80, 10, 300), (85, 5, 100), (90, 8, 200)], [TOP1, LATENCY, MACS])
    summary = write_outputs(folder)
    assert summary.hypervolume == 5 * 5 * 200 + 10 * 2 * 100 - 5 * 2 * 100
    assert summary.front.tolist() == [2, 1]
    check_picture(folder / "front.png")


def test_pictures_are_drawn_and_named_in_the_summary(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE, [TOP1, LATENCY | {"bound": 6.0}])
    summary = write_outputs(folder)
    names = ["results.csv", "front.csv", "hypervolume.csv", "front.png", "hypervolume.png"]
    assert list(summary.paths) == [folder / name for name in names]
    check_picture(folder / "front.png")
    check_picture(folder / "hypervolume.png")
    assert {path.name for path in folder.iterdir()} == {*names, "run.json"}


@pytest.mark.parametrize("values", [[], [(NAN, NAN), (NAN, 4.0)]], ids=["no row", "all failed"])
def test_a_run_without_measurements_gives_empty_tables(tmp_path: Path, values: list[tuple[float, float]]) -> None:
    folder = write_search(tmp_path / "run", values)
    summary = write_outputs(folder)
    assert len(read(folder / "hypervolume.csv")) == 1
    assert read(folder / "front.csv") == [read(folder / "results.csv")[0]]
    assert summary.hypervolume == 0
    assert all(math.isnan(value) for value in summary.reference)
    assert all(path.exists() for path in summary.paths)


def test_a_run_with_nothing_within_its_bounds_has_no_front(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE, [TOP1, LATENCY | {"bound": 1.0}])
    summary = write_outputs(folder)
    assert summary.hypervolume == 0
    assert len(read(folder / "front.csv")) == 1
    assert len(read(folder / "hypervolume.csv")) == 6
    check_picture(folder / "front.png")


def test_a_resumed_run_replaces_what_was_derived_before(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE[:2])
    assert write_outputs(folder).hypervolume == 48
    longer = write_search(tmp_path / "longer", FIVE)
    (folder / "results.csv").write_text((longer / "results.csv").read_text())
    assert write_outputs(folder).hypervolume == 52
    assert len(read(folder / "hypervolume.csv")) == 6


def test_outputs_do_not_depend_on_the_config(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    facts = json.loads((folder / "run.json").read_text())
    del facts["config"], facts["machine"]
    (folder / "run.json").write_text(json.dumps(facts))
    assert write_outputs(folder).hypervolume == 52
