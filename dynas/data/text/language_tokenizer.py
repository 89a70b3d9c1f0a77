"""Tokenizers of decoders: whatever a tokenizer.json of Hugging Face describes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tokenizers import Tokenizer

from dynas.errors import DynasError

TOKENIZER = "tokenizer.json"
EMBEDDED = Path(__file__).parents[1] / "embedded" / "brown" / TOKENIZER
WITHOUT = ("embedded", "random")  # weights that come without a tokenizer of their own


def read_tokenizer(given: str) -> Tokenizer:
    """Return a tokenizer that neither cuts off nor pads.

    Args:
        given: a tokenizer.json, a folder with one, or a file of weights beside one; ``embedded`` or ``random``: that of
            the embedded decoder.

    Raises:
        DynasError: there is none, or it cannot be read.
    """
    path = EMBEDDED if given in WITHOUT else Path(given).expanduser()
    file = path if path.suffix == ".json" else (path if path.is_dir() else path.parent) / TOKENIZER
    if not path.exists():
        raise DynasError(f"there is no file or folder '{path}' with a {TOKENIZER}")
    if not file.is_file():
        raise DynasError(
            f"no {TOKENIZER} at '{file}': give data.tokenizer=<the {TOKENIZER} of the network, or its folder>"
        )
    return parse_tokenizer(file.read_bytes(), file)


def parse_tokenizer(content: bytes, origin: object) -> Tokenizer:
    """Return the tokenizer that the content of a tokenizer.json describes, or raise DynasError."""
    try:
        tokenizer = Tokenizer.from_buffer(content)
    except Exception as error:  # the package raises nothing more special
        raise DynasError(f"cannot read a tokenizer from '{origin}': {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def tokenizer_digest(tokenizer: Tokenizer) -> str:
    """Return a SHA-256 of what a tokenizer does."""
    return hashlib.sha256(tokenizer.to_str().encode()).hexdigest()
