"""Disks that are full or cannot be written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dynas.core.metric import Reading
from dynas.errors import DynasWarning
from dynas.runs.quality_cache import QualityCache
from tests.helpers.cli import command, dynas
from tests.helpers.processes import ENVIRONMENT, SURROGATE, one_sentence, results

pytestmark = pytest.mark.slow

PAGE = 4096


@pytest.mark.parametrize(("free", "what"), [(8, "the first rows"), (12, "what is derived at the end")])
def test_a_full_disk_is_told_in_a_sentence_and_the_run_goes_on_once_there_is_space(
    whole: Path, small_disk: Path, free: int, what: str
) -> None:
    room = os.statvfs(small_disk).f_bavail - free
    filler = small_disk / "filler"
    filler.write_bytes(bytes(room * PAGE))
    arguments = [argument for argument in SURROGATE if not argument.startswith("hydra")]
    full = dynas(*arguments, f"hydra.run.dir={small_disk / 'run'}", cwd=small_disk.parent)
    assert full.returncode == 1
    assert one_sentence(full.stderr), full.stderr
    assert "No space left on device" in full.stderr
    before = (small_disk / "run" / "results.csv").read_text().splitlines()
    assert not list((small_disk / "run").glob("*.partial"))
    filler.unlink()
    resumed = dynas("search", f"resume={small_disk / 'run'}", cwd=small_disk.parent)
    assert resumed.returncode == 0, resumed.stderr
    after = (small_disk / "run" / "results.csv").read_text().splitlines()
    assert after[: len(before) - 1] == before[:-1], "the rows before were safe"
    assert results(small_disk / "run") == results(whole)


def test_a_disk_that_cannot_be_written_is_named_and_can_still_be_read(whole: Path, small_disk: Path) -> None:
    subprocess.run(["cp", "-r", str(whole), str(small_disk / "run")], check=True)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for arguments in (
        ["search", f"resume={small_disk / 'run'}"],
        ["search", *SURROGATE[1:4], f"hydra.run.dir={small_disk / 'new'}"],
        ["report", str(small_disk / "run"), "--html", str(small_disk / "page.html")],
        ["train", f"hydra.run.dir={small_disk / 'new'}"],
    ):
        refused = dynas(*arguments, cwd=small_disk.parent)
        assert refused.returncode == 1
        assert one_sentence(refused.stderr), refused.stderr
        assert str(small_disk) in refused.stderr
    assert dynas("report", str(small_disk / "run"), cwd=small_disk.parent).returncode == 0


def test_output_that_cannot_be_printed_is_told_in_a_sentence(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("--help"),
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "dynas: No space left on device\n"


def test_a_cache_on_a_disk_that_is_full_or_cannot_be_written_costs_a_warning(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNAS_CACHE", str(small_disk))
    QualityCache("mine").keep("before", Reading(1.0))
    filler = small_disk / "filler"
    filler.write_bytes(bytes(os.statvfs(small_disk).f_bavail * PAGE))
    full = QualityCache("mine")
    with pytest.warns(DynasWarning, match="No space left on device") as told:
        keep_many(full)
    assert len(told) == 1
    filler.unlink()
    kept = QualityCache("mine").readings
    assert all(kept[f"key {number}"].value == number for number in range(len(kept) - 1))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.warns(DynasWarning, match="Read-only file system") as told:
        QualityCache("mine").keep("after", Reading(2.0))
    assert len(told) == 1
    assert QualityCache("mine").readings == kept


def keep_many(cache: QualityCache) -> None:
    for number in range(2 * PAGE):
        cache.keep(f"key {number}", Reading(float(number)))
