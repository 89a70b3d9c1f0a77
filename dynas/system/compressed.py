"""Compressed files, unpacked within a limit: a small one must not be able to fill the memory."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dynas.errors import DynasError

LEAST_LIMIT = 64 * 2**20  # bytes that any file may unpack to
MOST_GROWTH = 200  # times its size that a larger one may grow; text and pixels rarely shrink to a thirtieth
MEMORY_LIMIT = 2**30  # bytes that the window of an .xz file may take
PACKED = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31),
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(memlimit=MEMORY_LIMIT),
    b"BZh": bz2.BZ2Decompressor,
}
SUFFIXES = {".gz": b"\x1f\x8b", ".xz": b"\xfd7zXZ\x00", ".bz2": b"BZh"}


def read_bytes(path: Path, what: str = "file") -> bytes:
    """Return the content of a file, unpacked where it is in the format of gzip, xz or bzip2, whatever it is called.

    Args:
        path: the file.
        what: what it should be, for the error.

    Raises:
        DynasError: it is missing, damaged, or grows beyond all reason.
    """
    try:
        content = path.read_bytes()
        packed = SUFFIXES.get(path.suffix) or next((start for start in PACKED if content.startswith(start)), None)
        return content if packed is None else unpack(content, PACKED[packed], limit_of(len(content)))
    except FileNotFoundError as error:
        raise DynasError(f"no {what} '{path}'") from error
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise DynasError(f"cannot read '{path}': {error}") from error


def limit_of(size: int) -> int:
    """Return the bytes that a compressed file of ``size`` bytes may unpack to."""
    return max(LEAST_LIMIT, MOST_GROWTH * size)


def unpack(content: bytes, make: Callable[[], Any], limit: int) -> bytes:
    """Return what compressed streams, one after the other, hold together.

    Args:
        content: the streams.
        make: returns a decompressor, as those of Python's ``zlib``, ``lzma`` and ``bz2``.
        limit: bytes that they may hold.

    Raises:
        EOFError: the last one is cut off.
        ValueError: they hold more.
    """
    parts: list[bytes] = []
    size = 0
    while content or not parts:
        stream = make()
        part = stream.decompress(content, limit + 1 - size)
        size += len(part)
        if size > limit:
            raise ValueError(
                f"its {len(content):,} bytes unpack to more than {limit / 2**20:,.0f} MiB: unpack it first"
            )
        if not stream.eof:
            raise EOFError("it ends in the middle of its compressed data")
        parts.append(part)
        content = stream.unused_data.lstrip(b"\0")  # padding
    return b"".join(parts)
