"""Which runs may be made side by side, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynas.paper import jobs
from dynas.paper.jobs import TABLES, Job, shipped_digest, startable, with_what_they_read

ONE, TWO, THREE = (Job("search", (f"seed={seed}",), f"search {seed}") for seed in range(3))
TIMED = Job("search", ("hardware=cpu",), "timed", alone=True)
READS = Job("transfer", (), "reads", alone=True, after=(ONE, TIMED))


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "available_cores", lambda: 2)


@pytest.mark.parametrize(
    ("argument", "file"),
    [
        ("experiment=paper/linas", "preset"),
        ("supernet=mbv3", "weights"),
        ("data.path=ncf", "table"),
        (f"results={TABLES}/ncf", "table"),
    ],
)
def test_other_shipped_files_make_other_runs(
    argument: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only of those jobs that name them."""
    before, other = Job("search", (argument,), "search").name, ONE.name
    paths = {"preset": "experiment/paper/linas.yaml", "weights": "mbv3.safetensors", "table": "ncf/model.json"}
    (tmp_path / paths[file]).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / paths[file]).write_text("others")
    for root in ("CONFIGS", "SUPERNETS", "SHIPPED"):
        monkeypatch.setattr(jobs, root, tmp_path)
    shipped_digest.cache_clear()
    changed = Job("search", (argument,), "search").name
    shipped_digest.cache_clear()
    assert changed != before
    assert changed.rpartition("-")[0] == before.rpartition("-")[0]
    assert ONE.name == other


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
