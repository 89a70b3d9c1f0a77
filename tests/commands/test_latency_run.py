"""What a run keeps and says of its latencies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.cli import dynas, read_rows

pytestmark = pytest.mark.slow

SMALL = [
    *("objectives=latency", "mode=validation", "algo=random", "algo.population=3", "budget=6", "together=3"),
    *("hardware.batch_size=1", "hardware.min_repeats=3", "hardware.max_repeats=6"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("latency") / "run"
    done = dynas("search", *SMALL, f"hydra.run.dir={folder}", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_the_machine_and_the_reference_stand_in_run_json(run: tuple[Path, str]) -> None:
    facts = json.loads((run[0] / "run.json").read_text())
    assert facts["reference_ms"] > 0
    assert facts["hardware"]["threads"] == 1
    assert {"cpu", "cores", "cores_available", "smt", "governor"} <= set(facts["machine"])


def test_every_latency_has_its_quality_and_a_search_says_how_many_are_not_ok(run: tuple[Path, str]) -> None:
    folder, printed = run
    qualities = [row["latency_quality"] for row in read_rows(folder)]
    assert len(qualities) == 6
    assert set(qualities) <= {"ok", "unsteady", "disturbed"}
    for quality in ("unsteady", "disturbed"):
        assert (f" {qualities.count(quality)} " in printed.split("latencies,")[-1]) or quality not in qualities
    assert ("see latency_quality" in printed) == (set(qualities) != {"ok"})
    for row in read_rows(folder):
        assert float(row["latency_p10 [ms]"]) <= float(row["latency [ms]"]) <= float(row["latency_p90 [ms]"])
        assert row["latency_drift [%]"]


def test_a_run_that_goes_on_keeps_the_pace_that_it_began_with(run: tuple[Path, str]) -> None:
    """As if the machine had been ten times as fast when the run began."""
    folder, _ = run
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(facts | {"reference_ms": facts["reference_ms"] / 10}))
    lines = (folder / "results.csv").read_text().splitlines(keepends=True)
    (folder / "results.csv").write_text("".join(lines[:4]))
    done = dynas("search", f"resume={folder}", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    rows = read_rows(folder)
    assert len(rows) == 6
    assert all(float(row["latency_drift [%]"]) > 200 for row in rows[3:])
    assert all(row["latency_quality"] == "disturbed" for row in rows[3:])
    before, after = ([float(row["latency [ms]"]) for row in some] for some in (rows[:3], rows[3:]))
    assert max(after) < min(before)
    assert json.loads((folder / "run.json").read_text())["reference_ms"] == facts["reference_ms"] / 10


def test_nothing_is_timed_where_no_latency_is_asked_for(tmp_path: Path) -> None:
    done = dynas(
        "search",
        "objectives=macs",
        "algo=ga",
        "mode=validation",
        "budget=50",
        f"hydra.run.dir={tmp_path}/run",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["reference_ms"] is None
    assert "latency_quality" not in done.stdout
