"""The cache of qualities: whatever becomes of its file costs time, and nothing else."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from pathlib import Path

import pytest

from dynas.core.metric import Reading
from dynas.errors import DynasWarning
from dynas.runs import quality_cache
from dynas.runs.quality_cache import FOLDER, QualityCache
from dynas.system.folders import cache_folder

KEPT = {f"ks{n}": Reading(70 + n / 3, {"accuracy_se [%]": n / 7} if n % 2 else {}) for n in range(5)}


def filled() -> Path:
    cache = QualityCache("one")
    for key, reading in KEPT.items():
        cache.keep(key, reading)
    return cache_folder() / FOLDER / "one.txt"


def test_what_is_kept_is_read_to_the_last_bit() -> None:
    filled()
    assert QualityCache("one").readings == KEPT
    assert QualityCache("another").readings == {}


def test_a_sub_network_that_is_kept_already_is_not_kept_again() -> None:
    path = filled()
    before = path.read_bytes()
    QualityCache("one").keep("ks0", Reading(1.0))
    assert path.read_bytes() == before


@pytest.mark.parametrize("end", range(1, 40))
def test_a_torn_line_is_passed_over_and_those_after_it_are_not(end: int) -> None:
    path = filled()
    path.write_bytes(path.read_bytes()[:-end])
    QualityCache("one").keep("ks9", Reading(9.0))
    found = QualityCache("one").readings
    assert found == {key: KEPT[key] for key in list(KEPT)[:4]} | {"ks9": Reading(9.0)}


def test_a_damaged_byte_takes_one_line_at_most() -> None:
    path = filled()
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        found = QualityCache("one").readings
        assert found.items() <= KEPT.items()
        assert len(found) >= len(KEPT) - 2, "the end of a line may be what is damaged"


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, os.urandom(5000), b'00000000 ["ks0", 1.0, {}]', b"\n" * 100])
def test_a_file_of_something_else_holds_nothing(content: bytes) -> None:
    path = filled()
    path.write_bytes(content)
    assert QualityCache("one").readings == {}


@pytest.mark.parametrize(
    "text", ["[1, 2.0, {}]", '["k", "2", {}]', '["k", NaN, {}]', '["k", 1.0]', "7", '["k", 1.0, 3]']
)
def test_a_line_that_says_something_else_is_passed_over(text: str) -> None:
    checksum = b"%08x" % quality_cache.zlib.crc32(text.encode())
    assert quality_cache.parsed(checksum + b" " + text.encode()) is None


def keep_many(first: int) -> None:
    cache = QualityCache("shared")
    for number in range(first, first + 200):
        cache.keep(f"ks{number}", Reading(float(number)))


def test_several_processes_share_a_file() -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=keep_many, args=(first,)) for first in (0, 200, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert QualityCache("shared").readings == {f"ks{number}": Reading(float(number)) for number in range(400)}


def test_a_full_file_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled()
    monkeypatch.setattr(quality_cache, "LARGEST", path.stat().st_size)
    QualityCache("one").keep("ks9", Reading(9.0))
    assert QualityCache("one").readings == KEPT


@pytest.mark.parametrize("obstacle", ["a file", "a link", "a folder"])
def test_where_nothing_can_be_kept_there_is_one_warning(
    obstacle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / FOLDER / "one.txt"
    if obstacle == "a file":  # where the folder should be
        (tmp_path / FOLDER).write_text("mine")
    else:
        place.parent.mkdir()
    if obstacle == "a link":  # to a file that is not ours
        place.symlink_to(tmp_path / "elsewhere")
    elif obstacle == "a folder":
        place.mkdir()
    monkeypatch.setenv("DYNAS_CACHE", str(tmp_path))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        cache = QualityCache("one")
        for key, reading in KEPT.items():
            cache.keep(key, reading)
    assert [one.category for one in told] == [DynasWarning]
    assert "DYNAS_CACHE" in str(told[0].message)
    assert not (tmp_path / "elsewhere").exists()


def test_without_a_home_there_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DYNAS_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as where nobody knows the user
    with pytest.warns(DynasWarning, match="qualities cannot be kept"):
        assert QualityCache("one").readings == {}
