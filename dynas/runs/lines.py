"""Rows of a CSV table as they are in a file: the last one may have been torn when its writer was killed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

Line = tuple[int, tuple[str, ...]]  # number in the file, cells


def table_text(content: bytes) -> str:
    """Return the text of a table, whose last line may have been torn within a character.

    Raises:
        UnicodeDecodeError: it is not in UTF-8.
    """
    try:
        return content.decode("utf-8-sig")  # in one piece, as there may be much of it
    except UnicodeDecodeError:
        start = content.rfind(b"\n") + 1
        return content[:start].decode("utf-8-sig") + content[start:].decode(errors="replace")


def complete_lines(text: str) -> list[Line]:
    """Return the rows with their line numbers, header first, without a torn last one; empty lines are passed over.

    A last row that lacks just its newline is complete, which shows by its last cell, the architecture in JSON.

    Raises:
        csv.Error: it is no CSV.
    """
    lines, torn = _read(text)
    return lines[:-1] if torn else lines


def complete_text(text: str) -> str:
    """Return the text of `complete_lines`, to which rows can be appended."""
    lines, torn = _read(text)
    if torn:
        text = "".join(list(io.StringIO(text, newline="\n"))[: lines[-1][0] - 1])
    return text if not text or text.endswith("\n") else text + "\n"


def repeated(places: Iterable[tuple[int, str, str]]) -> tuple[int, str] | None:
    """Return the first line of results.csv whose evaluation or sub-network came before, and a sentence; else None.

    Args:
        places: of each row its line, index and key.
    """
    indices: dict[str, int] = {}
    keys: dict[str, int] = {}
    for line, index, key in places:
        for name, value, seen in (("index", index, indices), ("key", key, keys)):
            if value in seen:
                return line, f"its {name} {value} is that of line {seen[value]} already"
            seen[value] = line
    return None


def _pieces(text: str) -> Iterator[str]:
    """Yield the text line by line, newlines included, as `io.StringIO` would in four times its memory."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _read(text: str) -> tuple[list[Line], bool]:
    """Return all rows, and whether the last one was torn in the middle."""
    reader = csv.reader(_pieces(text))
    lines: list[Line] = []
    start = 1
    for cells in reader:
        if cells:
            lines.append((start, tuple(cells)))
        start = reader.line_num + 1
    whole = text.endswith("\n") and text.count('"') % 2 == 0
    if whole or not lines:
        return lines, False
    return lines, not (len(lines[-1][1]) == len(lines[0][1]) and text.endswith('}"'))
