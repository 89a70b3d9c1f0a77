"""Reads tables of MATLAB's files of version 5 (MAT-File Format, The MathWorks), without native code.

SciPy's reader crashes on some damaged files, which no exception handler survives.
A file has a header of 128 bytes and then elements: a type and a number of bytes (two uint32), then the bytes, filled up
to a multiple of 8. Elements of up to 4 bytes may have both numbers in one uint32 and their bytes right behind.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynas.system.compressed import limit_of, unpack

HEADER = 128
TYPES = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "f", 9: "d", 12: "q", 13: "Q"}  # as struct has them
TEXTS = {16: "utf-8", 17: "utf-16", 18: "utf-32"}
MATRIX, COMPRESSED = 14, 15
CELL, STRUCT, CHARACTERS, NUMBERS = 1, 2, 4, range(6, 16)  # classes of matrices
DEEPEST = 10  # of matrices in matrices


class Reader:
    """Reads matrices of one byte order: numbers as a list, characters as a text, structures as a list of mappings."""

    def __init__(self, order: str) -> None:
        self._order = order

    def elements(self, content: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield types and bytes of elements; raise ValueError where one reaches beyond the end."""
        place = 0
        while place + 8 <= len(content):
            kind, size = struct.unpack_from(f"{self._order}2I", content, place)
            start, end = place + 8, place + 8 + size
            place = end if kind == COMPRESSED else end + -end % 8
            if kind >> 16:  # a small element
                kind, size = kind & 0xFFFF, kind >> 16
                start, end, place = start - 4, start - 4 + size, start
                if size > 4:
                    raise ValueError("a small element is too large")
            if end > len(content):
                raise ValueError("an element reaches beyond the end")
            yield kind, content[start:end]

    def matrices(self, content: bytes) -> dict[str, Any]:
        """Return the matrices of a file by name."""
        found: dict[str, Any] = {}
        for kind, part in self.elements(content[HEADER:]):
            if kind == COMPRESSED:
                [(kind, part)] = self.elements(unpack(part, zlib.decompressobj, limit_of(len(part))))
            if kind == MATRIX:
                name, value = self.matrix(part, 0)
                found[name] = value
        return found

    def matrix(self, content: bytes, depth: int) -> tuple[str, Any]:
        """Return name and value of a matrix; what has another class than those that are known is None."""
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        if not content:
            return "", []
        elements = self.elements(content)
        flags, _, name = (next(elements)[1] for _ in range(3))
        kind = flags[0 if self._order == "<" else 3]
        return name.decode("ascii"), self._value(kind, elements, depth)

    def _value(self, kind: int, elements: Iterator[tuple[int, bytes]], depth: int) -> Any:
        if kind == CHARACTERS:
            return self._text(*next(elements))
        if kind in NUMBERS:
            return self._numbers(*next(elements))
        if kind == CELL:
            return [self.matrix(part, depth + 1)[1] for _, part in elements]
        if kind == STRUCT:
            return self._structures(elements, depth)
        return None

    def _structures(self, elements: Iterator[tuple[int, bytes]], depth: int) -> list[Mapping[str, Any]]:
        length, names = int(self._numbers(*next(elements))[0]), next(elements)[1]
        if not 0 < length <= 64:
            raise ValueError("names of fields have an odd length")
        starts = range(0, len(names), length)
        fields = [names[start : start + length].split(b"\0")[0].decode("ascii") for start in starts]
        values = [self.matrix(part, depth + 1)[1] for _, part in elements]
        if not fields or len(values) % len(fields):
            raise ValueError("a structure has values without fields")
        rows = range(0, len(values), len(fields))
        return [dict(zip(fields, values[start : start + len(fields)], strict=True)) for start in rows]

    def _numbers(self, kind: int, content: bytes) -> Sequence[float]:
        if kind not in TYPES or len(content) % struct.calcsize(TYPES[kind]):
            raise ValueError(f"numbers of the type {kind} are not known")
        return [number for (number,) in struct.iter_unpack(f"{self._order}{TYPES[kind]}", content)]

    def _text(self, kind: int, content: bytes) -> str:
        if kind in TEXTS:
            return content.decode(TEXTS[kind] + ("" if kind == 16 else "-le" if self._order == "<" else "-be"))
        return "".join(chr(int(code)) for code in self._numbers(kind, content))


def read_mat(content: bytes) -> dict[str, Any]:
    """Return the matrices of a file of MATLAB by name; raise ValueError where it is none of version 5."""
    orders = {b"IM": "<", b"MI": ">"}
    if content[HEADER - 2 : HEADER] not in orders:
        raise ValueError("it does not begin as a MAT-file of version 5")
    return Reader(orders[content[HEADER - 2 : HEADER]]).matrices(content)
