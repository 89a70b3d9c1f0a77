"""Texts with labels in files: CSV, TSV or JSON lines, packed or not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dynas.errors import DynasError
from dynas.system.compressed import SUFFIXES, read_bytes
from dynas.system.files import from_json

TEXTS = ("text", "sentence", "review", "content")  # columns that are looked for
LABELS = ("label", "class", "sentiment", "target")
TABLES = (".csv", ".tsv")
JSON_LINES = (".jsonl", ".ndjson", ".json")


def read_labelled(path: Path, text: str | None, label: str | None) -> tuple[list[str], list[str]]:
    """Return texts and the words that stand for their classes.

    Args:
        path: the file; its name says how it is written.
        text, label: their columns; None: the first of `TEXTS` and of `LABELS` that is there.

    Raises:
        DynasError: the file or a column is missing, or a line has no text or no label.
    """
    texts: list[str] = []
    labels: list[str] = []
    for line, row in read_rows(path):
        words = [cell(row[column(path, row, *given)]) for given in ((text, TEXTS), (label, LABELS))]
        if not all(words):
            raise DynasError(f"'{path}' line {line} has no {'text' if not words[0] else 'label'}")
        texts.append(words[0])
        labels.append(words[1])
    if not texts:
        raise DynasError(f"'{path}' holds no texts")
    return texts, labels


def cell(value: object) -> str:
    """Return what stands in a cell, without spaces around it."""
    return "" if value is None else str(value).strip()


def column(path: Path, row: Mapping[str, Any], given: str | None, known: Sequence[str]) -> str:
    """Return the name of a column that is there."""
    names = [given] if given else list(known)
    found = next((name for name in names if name in row), None)
    if found is None:
        what = "data.label" if known is LABELS else "data.text"
        raise DynasError(
            f"'{path}' has no column {' or '.join(names)}: give {what}=<one of {', '.join(map(str, row))}>"
        )
    return found


def read_rows(path: Path, what: str = "texts") -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the line number and the cells by column of every row of a file of ``what``."""
    packed = read_bytes(path, f"file of {what}")
    suffix = Path(path.stem if path.suffix in SUFFIXES else path).suffix.lower()
    if suffix not in (*TABLES, *JSON_LINES):
        kinds = ", ".join([*TABLES, *JSON_LINES])
        raise DynasError(f"'{path}': {what} are read from {kinds}, also packed by gzip, xz or bzip2")
    try:
        content = packed.decode("utf-8-sig")
        if suffix in TABLES:
            lines = io.StringIO(content, newline="")
            plain = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}  # as in GLUE, where " is a letter
            reader = csv.DictReader(lines, **(plain if suffix == ".tsv" else {}))  # type: ignore[call-overload]
            yield from ((reader.line_num, row) for row in reader)
        else:
            for number, line in enumerate(content.splitlines(), start=1):
                if line.strip():
                    yield number, json_object(path, number, line)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DynasError(f"cannot read '{path}': {error}") from error


def json_object(path: Path, number: int, line: str) -> Mapping[str, Any]:
    """Return the object that a line holds."""
    try:
        found = from_json(line)
    except ValueError as error:
        raise DynasError(f"'{path}' line {number} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise DynasError(f"'{path}' line {number} holds no object with a text and a label")
    return found
