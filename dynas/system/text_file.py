"""Reads text files that may be compressed."""

from __future__ import annotations

import codecs
from pathlib import Path

from dynas.errors import DynasError
from dynas.system.compressed import read_bytes

NO_TEXT = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it first",
    codecs.BOM_UTF16_LE: "in UTF-16: save it in UTF-8",
    codecs.BOM_UTF16_BE: "in UTF-16: save it in UTF-8",
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself by 'git lfs pull'",
}


def read_text(path: Path, what: str = "text file") -> str:
    """Return the content of a text file, without a byte order mark, unpacked where it is compressed.

    Args:
        path: the file.
        what: what it should be, for the error where there is none.

    Raises:
        DynasError: the file is missing, empty, damaged or not in UTF-8.
    """
    content = read_bytes(path, what)
    for start, what in NO_TEXT.items():
        if content.startswith(start):
            raise DynasError(f"'{path}' is {what}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DynasError(f"'{path}' line {line} is not in UTF-8: convert the file first") from error
    if not text:
        raise DynasError(f"'{path}' is empty")
    return text


def read_lines(path: Path, what: str = "text file") -> list[str]:
    """Return the lines of a text file, at least one, compressed or not.

    Raises:
        DynasError: the file is missing, empty, damaged or not in UTF-8.
    """
    lines = read_text(path, what).removesuffix("\n").split("\n")
    return [line.removesuffix("\r") for line in lines]
