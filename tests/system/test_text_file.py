from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from dynas.errors import DynasError
from dynas.system import compressed
from dynas.system.compressed import read_bytes
from dynas.system.text_file import read_lines, read_text

PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress}
TEXT = "one\ntwö\n".encode()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("suffix", ["", ".csv", "itself"])
def test_compressed_text_is_read_whatever_it_is_called(tmp_path: Path, packed: str, suffix: str) -> None:
    path = written(tmp_path / f"text{packed if suffix == 'itself' else suffix}", PACK[packed](TEXT))
    assert read_lines(path) == ["one", "twö"]
    path.write_bytes(PACK[packed](TEXT[:4]) + PACK[packed](TEXT[4:]))
    assert read_lines(path) == ["one", "twö"], "several streams are one file"
    path.write_bytes(PACK[packed](b""))
    with pytest.raises(DynasError, match="is empty"):
        read_text(path)


@pytest.mark.parametrize("packed", PACK)
def test_damaged_compressed_text_is_refused(tmp_path: Path, packed: str) -> None:
    whole = PACK[packed](TEXT * 50)
    for content in (whole[:-5], whole[: len(whole) // 2], whole + b"junk", b"no such file", b"", whole[:8]):
        with pytest.raises(DynasError, match=r"cannot read '.*text"):
            read_bytes(written(tmp_path / f"text{packed}", content))


@pytest.mark.parametrize("packed", PACK)
def test_a_small_file_cannot_fill_the_memory(tmp_path: Path, packed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 2**20
    monkeypatch.setattr(compressed, "LEAST_LIMIT", limit)
    path = written(tmp_path / "bomb.csv", PACK[packed](bytes(40 * limit)))
    tracemalloc.start()
    with pytest.raises(DynasError, match=r"bomb\.csv': its [\d,]+ bytes unpack to more than \d+ MiB: unpack"):
        read_bytes(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * limit


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04rest", "is a zip archive: unpack it first"),
        ("user,item".encode("utf-16"), "is in UTF-16: save it in UTF-8"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a pointer of Git LFS"),
        (b"\x28\xb5\x2f\xfdrest", "is compressed by zstd"),
        (b"a\nb\xff", "line 2 is not in UTF-8"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(DynasError, match=why):
        read_text(written(tmp_path / "table.csv", content))


def test_a_byte_order_mark_and_windows_line_ends_are_no_text(tmp_path: Path) -> None:
    assert read_lines(written(tmp_path / "a.txt", b"\xef\xbb\xbfone\r\ntwo")) == ["one", "two"]
    for content, lines in ((b"\r", [""]), (b"\n", [""]), (b"\r\n\r\n", ["", ""]), (b"a\n\n", ["a", ""])):
        assert read_lines(written(tmp_path / "a.txt", content)) == lines


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=r"no dictionary '.*x\.txt'"):
        read_text(tmp_path / "x.txt", "dictionary")
