"""Which runs may be made side by side, and in which order."""

from __future__ import annotations

import pytest

from dynas.paper import jobs
from dynas.paper.jobs import Job, startable, with_what_they_read

ONE, TWO, THREE = (Job("search", (f"seed={seed}",), f"search {seed}") for seed in range(3))
TIMED = Job("search", ("hardware=cpu",), "timed", alone=True)
READS = Job("transfer", (), "reads", alone=True, after=(ONE, TIMED))


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "available_cores", lambda: 2)


def test_runs_of_other_presets_or_tables_have_other_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ONE.name
    monkeypatch.setattr(jobs, "shipped_digest", lambda: "that of others")
    assert ONE.name != before
    assert ONE.name.rpartition("-")[0] == before.rpartition("-")[0]


def test_what_a_run_reads_is_made_before_it_and_once() -> None:
    assert with_what_they_read([READS, TWO, ONE]) == [ONE, TIMED, READS, TWO]


def test_as_many_run_side_by_side_as_there_are_processors() -> None:
    assert startable([ONE, TWO, THREE], []) == [ONE, TWO]
    assert startable([THREE], [ONE]) == [THREE]
    assert startable([THREE], [ONE, TWO]) == []


def test_a_timed_run_is_alone() -> None:
    assert startable([TIMED, ONE], []) == [ONE]
    assert startable([TIMED], [ONE]) == []
    assert startable([TIMED, READS], []) == [TIMED]
    assert startable([ONE], [TIMED]) == []


def test_a_run_waits_for_what_it_reads() -> None:
    assert startable([READS], [TIMED]) == []
    assert startable([TIMED, READS], [ONE]) == []
    assert startable([READS], []) == [READS]
