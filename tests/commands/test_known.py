"""Qualities that were measured before: `known` and the cache, from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dynas.runs.quality_cache import FOLDER
from dynas.system.folders import cache_folder
from tests.helpers.cli import BRIEF, QUICK, dynas, read_rows

pytestmark = pytest.mark.slow

FOUND = ("index", "key", "top1 [%]", "macs [MAC]")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose qualities are in the module's cache, too."""
    cwd = tmp_path_factory.mktemp("first")
    done = dynas("search", *QUICK, "hydra.run.dir=first", cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert "was known" not in done.stdout
    shutil.copytree(cache_folder(), cwd / "cache")
    return cwd / "first"


@pytest.fixture
def cache(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the cache that this run has left."""
    monkeypatch.setenv("DYNAS_CACHE", str(tmp_path / "cache"))
    return Path(shutil.copytree(first.parent / "cache", tmp_path / "cache")) / FOLDER


def found(folder: Path) -> list[list[str]]:
    return [[row[name] for name in FOUND] for row in read_rows(folder)]


def examples(folder: Path) -> list[int]:
    return [int(row["examples"]) for row in read_rows(folder, "predictors.csv")]


def test_the_cache_answers_and_changes_nothing_but_time(first: Path, cache: Path, tmp_path: Path) -> None:
    done = dynas("search", *QUICK, "hydra.run.dir=again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "top1 was known of 12 of 12 (12 from cache): 0.00 s each; known=null measures everything" in done.stdout
    rows = read_rows(tmp_path / "again")
    assert found(tmp_path / "again") == found(first)
    assert {row["top1_from"] for row in rows} == {"cache"}
    assert examples(tmp_path / "again") == examples(first)
    (kept,) = cache.iterdir()
    assert kept.read_text().count("\n") == 12, "nothing is kept twice"


def test_known_null_leaves_the_cache_alone(first: Path, cache: Path, tmp_path: Path) -> None:
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:-300])
    before = kept.read_bytes()
    done = dynas("search", *QUICK, "known=null", "hydra.run.dir=again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "was known" not in done.stdout
    assert found(tmp_path / "again") == found(first)
    assert "top1_from" not in read_rows(tmp_path / "again")[0]
    assert kept.read_bytes() == before


def test_a_run_on_another_device_takes_over_and_learns_from_the_first_one(
    first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(first, tmp_path / "first")
    other = (*QUICK, *BRIEF, "objectives=[latency,top1]", "confirm=0", "seed=1", "known=fir*", "hydra.run.dir=second")
    done = dynas("search", *other, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "known from earlier runs: top1 of 12 sub-networks" in done.stdout
    before = {row["key"]: row["top1 [%]"] for row in read_rows(tmp_path / "first")}
    rows = read_rows(tmp_path / "second")
    taken = [row for row in rows if row["key"] in before]
    assert taken, "the smallest and the largest are measured by every search"
    for row in rows:
        assert row["top1_from"] == ("first" if row["key"] in before else "")
        assert row["top1 [%]"] == before.get(row["key"], row["top1 [%]"])
        assert float(row["latency [ms]"]) > 0
    trained = {row["objective"]: int(row["examples"]) for row in read_rows(tmp_path / "second", "predictors.csv")}
    taught = 6 + 12 - sum(row["key"] in before for row in rows if row["iteration"] == "1")
    assert trained == {"latency": 6, "top1": taught}
    lines = [line for path in (cache_folder() / FOLDER).iterdir() for line in path.read_text().splitlines() if line]
    assert len(lines) == len(rows) - len(taken), "what somebody else may have written is not kept"


def test_a_run_that_goes_on_needs_the_same_known_qualities(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "first")
    done = dynas("search", *QUICK, "seed=1", "known=[first]", "hydra.run.dir=second", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows, results = found(tmp_path / "second"), tmp_path / "second" / "results.csv"
    half = results.read_text().splitlines(keepends=True)[:8]
    results.write_text("".join(half))
    shutil.rmtree(cache_folder())
    done = dynas("search", "resume=second", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert found(tmp_path / "second") == rows
    kept = "".join(path.read_text() for path in (cache_folder() / FOLDER).iterdir())
    assert not any(row[1] in kept for row in rows[:7]), "what a folder holds may be somebody else's word"
    results.write_text("".join(half))
    table = tmp_path / "first" / "results.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    refused = dynas("search", "resume=second", cwd=tmp_path)
    assert refused.returncode == 1
    assert "second' was begun with other known qualities" in refused.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["known=gone"], "'gone' does not exist"),
        (["known=[first,7]"], "known=['first', 7]: give a run folder"),
        (["known=first", "data.validation_size=99"], "top1 in 'first' was measured with other data;"),
        (["known=first", "objectives=[macs,params]"], "no objective is the same on every device"),
        (["known=damaged"], "'damaged/results.csv' has a row that is none of this run"),
        (["known=part"], "top1 in 'part' was not measured;"),  # as of a compression, whose config has more objectives
    ],
)
def test_runs_of_which_nothing_can_be_taken_over_are_refused(
    first: Path, tmp_path: Path, given: list[str], said: str
) -> None:
    for name in ("first", "damaged", "part"):
        shutil.copytree(first, tmp_path / name)
    table = tmp_path / "damaged" / "results.csv"
    table.write_text(table.read_text().replace('""ks"":[3', '""ks"":[4', 1))
    facts = json.loads((first / "run.json").read_text())
    facts["objectives"] = [one for one in facts["objectives"] if one["name"] != "top1"]
    (tmp_path / "part" / "run.json").write_text(json.dumps(facts))
    refused = dynas("search", *QUICK, *given, "hydra.run.dir=run", cwd=tmp_path)
    assert refused.returncode == 1
    assert said in refused.stderr, refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "run" / "results.csv").exists()


def test_run_json_tells_code_of_ones_own(first: Path) -> None:
    assert set(json.loads((first / "run.json").read_text())) >= {"code_sha256", "weights_sha256", "data_sha256"}
