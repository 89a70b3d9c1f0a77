"""Reads text files that may be compressed."""

from __future__ import annotations

import gzip
import lzma
import zlib
from pathlib import Path

from dynas.errors import DynasError

OPENERS = {".gz": gzip.decompress, ".xz": lzma.decompress}


def read_text(path: Path) -> str:
    """Return the content of a text file, of a gzipped one (.gz) or of one in xz (.xz).

    Raises:
        DynasError: the file is missing, empty, damaged or not in UTF-8.
    """
    try:
        content = path.read_bytes()
        content = OPENERS.get(path.suffix, bytes)(content)
    except FileNotFoundError as error:
        raise DynasError(f"no text file '{path}'") from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise DynasError(f"cannot read '{path}': {error}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DynasError(f"'{path}' line {line} is not in UTF-8: convert the file first") from error
    if not text:
        raise DynasError(f"'{path}' is empty")
    return text


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, compressed or not.

    Raises:
        DynasError: the file is missing, empty, damaged or not in UTF-8.
    """
    lines = [line.removesuffix("\r") for line in read_text(path).split("\n")]
    return lines[:-1] if lines[-1] == "" else lines
