"""Anyone's texts to be foretold: text files and JSON lines, one by one or in folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dynas.data.text.documents import Documents
from dynas.data.text.labelled_files import JSON_LINES, TEXTS, column, read_rows
from dynas.data.text.language_tokenizer import read_tokenizer
from dynas.data.text.parallel_files import near_duplicate_key
from dynas.errors import DynasError
from dynas.system.compressed import SUFFIXES
from dynas.system.text_file import read_text

PLAIN = (".txt", ".text", ".md")  # a file is one document


def text_files(
    path: str,
    validation: str | None,
    validation_share: float,
    text: str | None,
    tokenizer: str,
    window: int,
    stride: int,
    validation_size: int | None,
    epoch_tokens: int | None,
    seed: int,
) -> Documents:
    """Return the documents of files.

    Args:
        path: a file, or a folder with files at any depth.
        validation: the same for the documents that quality is measured on; None: some are held out.
        validation_share: share of the documents that are held out; where there is but one, of its end.
        text: field of the text in JSON lines; None: the first of `TEXTS` that is there.
        tokenizer: see `dynas.data.text.language_tokenizer.read_tokenizer`.
        window, stride, validation_size, epoch_tokens: see `dynas.data.text.documents.Documents`.
        seed: decides which documents are held out.

    Raises:
        DynasError: a setting or a file is at fault.
    """
    made = read_tokenizer(tokenizer)
    training = read_documents(Path(path).expanduser(), text)
    if validation is not None:
        held = read_documents(Path(validation).expanduser(), text)
    else:
        training, held = hold_out(training, validation_share, seed)
    return Documents(training, held, made, window, stride, validation_size, epoch_tokens)


def read_documents(path: Path, text: str | None) -> list[str]:
    """Return the documents of a file or a folder, in order of their names; raise DynasError where there are none."""
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file() and kind(one) in (*PLAIN, *JSON_LINES))
        if not files:
            raise DynasError(f"'{path}' holds no texts: looked for {', '.join((*PLAIN, *JSON_LINES))}, packed or not")
    else:
        files = [path]
    return [one for file in files for one in documents_of(file, text)]


def kind(path: Path) -> str:
    """Return the ending that says how a file is written, whether it is packed or not."""
    return Path(path.stem if path.suffix in SUFFIXES else path).suffix.lower()


def documents_of(path: Path, text: str | None) -> list[str]:
    """Return the documents of one file: those of JSON lines, or the whole text."""
    if kind(path) not in JSON_LINES:
        return [read_text(path)]
    found = []
    for line, row in read_rows(path):
        content = row[column(path, row, text, TEXTS)]
        if not isinstance(content, str) or not content:
            raise DynasError(f"'{path}' line {line} has no text")
        found.append(content)
    if not found:
        raise DynasError(f"'{path}' holds no texts")
    return found


def hold_out(documents: Sequence[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    """Return documents to train on and others to measure on; of a single one, its beginning and its end.

    Documents that differ in case and punctuation only stay on one side.

    Raises:
        DynasError: the share leaves nothing on a side.
    """
    if not 0 < share < 1:
        raise DynasError(f"data.validation_share={share}: give a share between 0 and 1")
    if len(documents) == 1:
        (whole,) = documents
        cut = whole.rfind("\n", 0, int(len(whole) * (1 - share))) + 1 or int(len(whole) * (1 - share))
        return [whole[:cut]], [whole[cut:]]
    keys = [near_duplicate_key(one) or one for one in documents]
    distinct = list(dict.fromkeys(keys))
    count = round(share * len(distinct))
    if not 0 < count < len(distinct):
        raise DynasError(
            f"data.validation_share={share} of {len(distinct)} different documents leaves none to measure or to train "
            "on: give data.validation=<file>, or another share"
        )
    chosen = np.random.default_rng(seed).permutation(len(distinct))[:count]
    held = {distinct[place] for place in chosen}
    sides = (
        [one for one, key in zip(documents, keys, strict=True) if (key in held) == inside] for inside in (False, True)
    )
    training, validation = sides
    return training, validation
