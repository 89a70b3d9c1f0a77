"""Reads sentence pairs from text files of two languages, or from one file with tabs; all may be compressed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dynas.errors import DynasError
from dynas.system.text_file import read_lines


@dataclass(frozen=True)
class TextPairs:
    """Sentences of two languages, line by line, and the documents that they are from, where that is known."""

    sources: list[str]
    targets: list[str]
    documents: list[str] | None = None

    def __len__(self) -> int:
        return len(self.sources)

    def take(self, rows: list[int]) -> TextPairs:
        """Return some of the pairs."""
        return TextPairs([self.sources[row] for row in rows], [self.targets[row] for row in rows])


def near_duplicate_key(text: str) -> str:
    """Return what two sentences share that differ only in case, spaces and punctuation."""
    return "".join(character for character in text.casefold() if character.isalnum())


def read_pairs(source: str, target: str | None) -> TextPairs:
    """Read the lines of two files, or of one whose lines are source, tab, target and perhaps a tab and a document.

    Raises:
        DynasError: a file is missing or is no text in UTF-8, a line is empty, or the lines do not make pairs.
    """
    lines = read_lines(Path(source).expanduser())
    if target is None:
        pairs = from_columns(source, lines)
    else:
        others = read_lines(Path(target).expanduser())
        if len(lines) != len(others):
            raise DynasError(
                f"'{source}' has {len(lines)} lines but '{target}' has {len(others)}: give as many of both"
            )
        pairs = TextPairs(lines, others)
    for path, texts in ((source, pairs.sources), (target or source, pairs.targets)):
        empty = next((number for number, text in enumerate(texts, 1) if not text.strip()), None)
        if empty:
            raise DynasError(f"'{path}' line {empty} has an empty sentence: leave out such pairs")
    return pairs


def from_columns(path: str, lines: list[str]) -> TextPairs:
    """Return the pairs of lines with tabs."""
    rows = [line.split("\t") for line in lines]
    columns = len(rows[0])
    wrong = next((number for number, row in enumerate(rows, 1) if len(row) != columns or columns not in (2, 3)), None)
    if wrong:
        raise DynasError(
            f"'{path}' line {wrong} has {len(rows[wrong - 1])} columns: without data.target every line is source, tab "
            "and target, and on all lines or none another tab and the name of its document"
        )
    sources, targets, *documents = (list(column) for column in zip(*rows, strict=True))
    return TextPairs(sources, targets, documents[0] if documents else None)
