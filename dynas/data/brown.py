"""The Brown corpus; scripts/assets/build_brown.py put it into the package."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from dynas.data.text.documents import Documents
from dynas.data.text.language_tokenizer import read_tokenizer
from dynas.data.text_files import read_documents
from dynas.system.text_file import read_lines

EMBEDDED = Path(__file__).parent / "embedded" / "brown"
CORPUS = "brown.jsonl.xz"
GENRES = {  # by the letter of a document's name
    "a": "news", "b": "editorials", "c": "reviews", "d": "religion", "e": "hobbies", "f": "lore",
    "g": "biographies and essays", "h": "reports", "j": "learned", "k": "fiction", "l": "mysteries",
    "m": "science fiction", "n": "adventures", "p": "romances", "r": "humour",
}  # fmt: skip
VALIDATION = ("reviews", "religion", "science fiction", "humour")  # genres that nothing is trained on


def brown(
    tokenizer: str,
    more: str | None,
    window: int,
    stride: int,
    validation_size: int | None,
    epoch_tokens: int | None,
) -> Documents:
    """Return the embedded corpus: 451 documents to train on, 49 of other genres to measure on.

    Args:
        tokenizer: see `dynas.data.text.language_tokenizer.read_tokenizer`.
        more: a file or a folder of further texts to train on; None: none.
        window, stride, validation_size, epoch_tokens: see `dynas.data.text.documents.Documents`.

    Raises:
        DynasError: a setting makes no sense, or the tokenizer cannot be read.
    """
    training, validation = corpus()
    made = read_tokenizer(tokenizer)
    further = [] if more is None else read_documents(Path(more).expanduser(), None)
    return Documents([*training, *further], validation, made, window, stride, validation_size, epoch_tokens)


@lru_cache(maxsize=1)
def corpus() -> tuple[list[str], list[str]]:
    """Return the texts of training and of validation."""
    rows = [json.loads(line) for line in read_lines(EMBEDDED / CORPUS)]
    sides = ([row["text"] for row in rows if (row["genre"] in VALIDATION) == held] for held in (False, True))
    training, validation = sides
    return training, validation
