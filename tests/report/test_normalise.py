"""``dynas report --normalise``: an objective from 0 to 1 over all runs that are compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dynas.commands.report import main
from dynas.errors import DynasError
from dynas.report.compare import compare
from dynas.report.normalise import normalise
from tests.helpers.run_folders import FIVE, LATENCY, NAN, TOP1, search, write_search


def test_the_least_and_the_largest_of_all_runs_become_0_and_1(tmp_path: Path) -> None:
    runs = [search(tmp_path / "a", FIVE), search(tmp_path / "b", [(82, 14), (NAN, NAN)])]  # 4 to 10 ms, 14 ms
    scaled, scale = normalise(runs, "latency")
    assert (scale.low, scale.high) == (4, 14)
    np.testing.assert_allclose(scaled[0].values[:, 1], [0.6, 0, np.nan, 0.2, 0.4])
    np.testing.assert_allclose(scaled[1].values[:, 1], [1, np.nan])
    assert (scaled[0].values[:, 0] == runs[0].values[:, 0])[~np.isnan(runs[0].values[:, 0])].all()
    assert scaled[0].objectives[1].column == "latency [normalised]"
    assert (scaled[0].front == runs[0].front).all()
    before, after = compare(runs), compare(scaled)
    assert after.groups[0].hypervolume == pytest.approx(before.groups[0].hypervolume / 10)
    assert str(scale) == (
        "latency is normalised: (latency - 4) / (14 - 4), in ms; the least and the largest measured in any of the runs"
    )


def test_limits_may_be_given_and_a_bound_moves_along(tmp_path: Path) -> None:
    run = search(tmp_path / "a", FIVE, (TOP1, LATENCY | {"bound": 7.5}))
    (scaled,), scale = normalise([run], "latency=5,10")
    np.testing.assert_allclose(scaled.values[:2, 1], [1, -0.2])
    assert scaled.objectives[1].bound == 0.5
    assert (scaled.feasible == run.feasible).all()
    assert scale.given


def test_the_report_says_the_range(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_search(tmp_path / "run", FIVE)
    assert main([str(tmp_path), "--normalise", "latency", "--normalise", "top1=0,100"]) == 0
    printed = capsys.readouterr().out
    assert "latency is normalised: (latency - 4) / (10 - 4), in ms" in printed
    assert "top1 is normalised: (top1 - 0) / (100 - 0), in %; as given" in printed
    assert "reference point: top1 0.8000 normalised; latency 1 normalised" in printed


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("latenzy", "unknown objective 'latenzy': choose one of latency, top1"),
        ("latency=5", "cannot read the limits '5'"),
        ("latency=9,5", "the range 9 to 5 is empty"),
        ("latency=0,inf", "is empty"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, wanted: str, message: str) -> None:
    with pytest.raises(DynasError, match=message):
        normalise([search(tmp_path / "a", FIVE)], wanted)


def test_runs_that_cannot_be_compared_are_not_hidden_by_a_common_unit(tmp_path: Path) -> None:
    runs = [search(tmp_path / "a", FIVE), search(tmp_path / "b", FIVE, (TOP1, LATENCY | {"unit": "ms, table"}))]
    with pytest.raises(DynasError, match="differ in objectives"):
        normalise(runs, "latency")
    with pytest.raises(DynasError, match="nothing to normalise"):
        normalise([search(tmp_path / "c", [(NAN, NAN)])], "latency")
