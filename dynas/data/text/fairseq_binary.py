"""Sentences as ``fairseq-preprocess`` writes them: a file of numbers (.bin) and one of sizes and offsets (.idx).

There are two layouts, told apart by the first bytes of the .idx file (fairseq/data/indexed_dataset.py):

- ``TNTIDX``: version, code of the numbers' type, bytes per number, N sentences, S sizes (five uint64), then N + 1
  places in the list of sizes, N + 1 places in the .bin file counted in numbers, and the S sizes (all int64). Numbers
  are ids plus one.
- ``MMIDIDX``: version (uint64), code of the numbers' type (one byte), N (uint64), N sizes (int32), N places in the .bin
  file counted in bytes (int64).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.data.text.sentences import Sentences
from dynas.errors import DynasError

LEGACY, MAPPED = b"TNTIDX\x00\x00", b"MMIDIDX\x00\x00"
TYPES = {
    1: np.uint8,
    2: np.int8,
    3: np.int16,
    4: np.int32,
    5: np.int64,
    8: np.uint16,
    9: np.uint32,
    10: np.uint64,
}


def read_sentences(prefix: Path, vocabulary: int) -> Sentences:
    """Return the sentences of ``<prefix>.idx`` and ``<prefix>.bin``, which stay on disk.

    Args:
        prefix: path without its ending, such as ``.../valid.en-de.en``.
        vocabulary: number of ids of the dictionary, special ones included.

    Raises:
        DynasError: a file is missing, torn or of another format, or holds an id beyond the dictionary.
    """
    index, numbers = (prefix.with_name(prefix.name + ending) for ending in (".idx", ".bin"))
    for path in (index, numbers):
        if not path.is_file():
            raise DynasError(f"no data file '{path}'")
    try:
        content = index.read_bytes()
        if content.startswith(LEGACY):
            sentences = read_legacy(content, numbers)
        elif content.startswith(MAPPED):
            sentences = read_mapped(content, numbers)
        else:
            raise ValueError(f"it begins with {content[:9]!r}, not with {LEGACY!r} or {MAPPED!r}")
    except (ValueError, OSError, struct.error) as error:
        raise DynasError(f"'{index}' is no index that fairseq-preprocess wrote: {error}") from error
    check(sentences, numbers, vocabulary)
    return sentences


def read_legacy(content: bytes, numbers: Path) -> Sentences:
    """Return the sentences of an index ``content`` of the layout TNTIDX."""
    version, code, _, n, n_sizes = struct.unpack_from("<5Q", content, 8)
    check_header(version, code)
    start = 8 + 5 * 8
    if len(content) != start + 8 * (2 * (n + 1) + n_sizes):
        raise ValueError("its length is not what its header says")
    places = np.frombuffer(content, "<i8", n + 1, start + 8 * (n + 1))
    sizes = np.frombuffer(content, "<i8", n_sizes, start + 16 * (n + 1))
    if n_sizes != n:
        raise ValueError("its entries are no sentences of one dimension")
    return Sentences(numbers_of(numbers, code), places[:-1].astype(np.int64), sizes.astype(np.int64), shift=1)


def read_mapped(content: bytes, numbers: Path) -> Sentences:
    """Return the sentences of an index ``content`` of the layout MMIDIDX."""
    version, code, n = struct.unpack_from("<QBQ", content, 9)
    check_header(version, code)
    start = 9 + 8 + 1 + 8
    if len(content) < start + 12 * n:
        raise ValueError("its length is not what its header says")
    sizes = np.frombuffer(content, "<i4", n, start).astype(np.int64)
    places = np.frombuffer(content, "<i8", n, start + 4 * n)
    return Sentences(numbers_of(numbers, code), places // np.dtype(TYPES[code]).itemsize, sizes)


def check_header(version: int, code: int) -> None:
    """Raise ValueError where the header is of another version or of numbers that are no integers."""
    if version != 1 or code not in TYPES:
        raise ValueError(f"its header has version {version} and type {code}, not version 1 and a type of integers")


def numbers_of(path: Path, code: int) -> NDArray[Any]:
    """Return the numbers of a .bin file as a memory map."""
    kind = np.dtype(TYPES[code]).newbyteorder("<")
    if path.stat().st_size == 0:
        return np.empty(0, dtype=kind)  # an empty file cannot be mapped
    return np.memmap(path, dtype=kind, mode="r")


def check(sentences: Sentences, numbers: Path, vocabulary: int) -> None:
    """Raise DynasError where sentences reach beyond their file or ids beyond the dictionary."""
    starts, lengths = sentences.starts, sentences.lengths
    beyond = starts > len(sentences.tokens) - lengths  # no sum, which could be too large for its type
    if (starts < 0).any() or (lengths < 1).any() or beyond.any():
        raise DynasError(f"'{numbers}' is torn or belongs to another index: it lacks numbers that the index names")
    if not len(sentences.tokens):
        return
    low, high = (int(end(sentences.tokens)) - sentences.shift for end in (np.min, np.max))
    if low < 0 or high >= vocabulary:
        wrong = low if low < 0 else high
        raise DynasError(f"'{numbers}' holds the id {wrong}, but its dictionary has the ids 0 to {vocabulary - 1}")
