"""A run whose front was measured again: what is read, told and compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dynas.errors import DynasError
from dynas.report.compare import compare
from dynas.report.normalise import normalise
from dynas.report.outputs import write_outputs
from dynas.report.tables import comparison_markdown, comparison_records
from dynas.runs.load import Run, load_run
from dynas.system.files import number, write_csv
from tests.helpers.run_folders import FIVE, write_search

HEADER = ["index", "iteration", "key", "latency [ms]", "seconds [s]", "timestamp", "error", "architecture"]
# the front of FIVE is (88, 4) and (90, 8); measured again, the first takes (4 + 6 + 8) / 3 = 6 ms like (85, 6)
AGAIN = [(1, 6.0), (1, 8.0), (4, 8.0), (4, 8.0)]


def confirmed(folder: Path, again: Sequence[tuple[int, float]] = AGAIN, **facts: object) -> Run:
    """Write a run folder with further measurements of latency, by row of results.csv."""
    first = load_run(write_search(folder, FIVE, **facts))  # type: ignore[arg-type]
    rows = [
        [place, 1, first.keys[row], number(latency), 0.5, "2026-11-24T07:00:00+00:00", "", "{}"]
        for place, (row, latency) in enumerate(again, start=1)
    ]
    write_csv(folder / "confirmed.csv", HEADER, rows)
    return load_run(folder)


def test_values_are_means_and_the_first_ones_stay_known(tmp_path: Path) -> None:
    run = confirmed(tmp_path / "run")
    np.testing.assert_allclose(run.values[:, 1], [10, 6, np.nan, 6, 8])
    assert run.rows[1][run.header.index("latency [ms]")] == "6"
    assert (run.confirmed, run.again.tolist()) == ((1,), [0, 2, 0, 0, 2])
    assert run.front.tolist() == [4, 1]
    np.testing.assert_allclose(run.first.values[:, 1], [10, 4, np.nan, 6, 8])
    assert run.first.first is run.first


def test_outputs_hold_both_hypervolumes(tmp_path: Path) -> None:
    confirmed(tmp_path / "run")
    summary = write_outputs(tmp_path / "run")
    assert summary.hypervolume == 52
    assert summary.confirmed == (88 - 80) * (10 - 6) + (90 - 88) * (10 - 8)
    assert (tmp_path / "run" / "confirmed.csv") in summary.paths
    lines = (tmp_path / "run" / "front.csv").read_text().splitlines()
    assert lines[0].endswith("architecture,latency first [ms],confirmations [runs]")
    assert lines[1].endswith(",8,2")
    assert lines[2].endswith(",4,2")
    assert (tmp_path / "run" / "hypervolume.csv").read_text().splitlines()[-1].startswith("5,52,")


def test_a_comparison_shows_confirmed_fronts_beside_the_curves(tmp_path: Path) -> None:
    runs = [confirmed(tmp_path / f"a{seed}", seed=seed) for seed in (0, 1)]
    other = load_run(write_search(tmp_path / "b", FIVE, choices={"algo": "random"}))
    comparison = compare([*runs, other])
    mine = next(group for group in comparison.groups if "nsga2" in group.name)
    assert (mine.hypervolume, mine.confirmed_hypervolume) == (52, 36)
    assert "| confirmed |" in comparison_markdown(comparison).splitlines()[0]
    assert {record["confirmed hypervolume"] for record in comparison_records(comparison)} == {36, None}
    assert "confirmed" not in comparison_markdown(compare([other]))


def test_confirmed_values_are_normalised_along(tmp_path: Path) -> None:
    (scaled,), scale = normalise([confirmed(tmp_path / "run")], "latency")
    assert (scale.low, scale.high) == (4, 10)
    np.testing.assert_allclose(scaled.values[[1, 4], 1], [1 / 3, 2 / 3])
    np.testing.assert_allclose(scaled.first.values[1, 1], 0)


def test_one_that_failed_again_leaves_the_front(tmp_path: Path) -> None:
    run = confirmed(tmp_path / "run", [(1, float("nan")), (4, 8.0)])
    assert run.front.tolist() == [4, 3]


def test_a_torn_or_foreign_file_is_told(tmp_path: Path) -> None:
    run = confirmed(tmp_path / "run")
    path = tmp_path / "run" / "confirmed.csv"
    path.write_text(path.read_text() + '5,1,"torn')
    assert load_run(tmp_path / "run").again.tolist() == run.again.tolist()
    path.write_text("index,key\n1,2\n")
    with pytest.raises(DynasError, match=r"confirmed\.csv' is not of this run"):
        load_run(tmp_path / "run")
    path.write_text(",".join(HEADER) + "\n1,1,a,fast,0.5,now,,{}\n")
    with pytest.raises(DynasError, match=r"confirmed\.csv' line 2 is not a row of dynas"):
        load_run(tmp_path / "run")
