"""Tokenizers of encoders: WordPiece from a vocabulary, or whatever a tokenizer.json of Hugging Face describes."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import BertProcessing

from dynas.errors import DynasError

IN_FOLDERS = ("tokenizer.json", "vocab.txt")
UNKNOWN, FIRST, LAST = "[UNK]", "[CLS]", "[SEP]"  # word pieces without which there is no WordPiece


def read_tokenizer(path: Path, lowercase: bool, longest: int) -> Tokenizer:
    """Return a tokenizer that puts the special word pieces around a text and cuts off what is too long.

    Args:
        path: a vocabulary with a word piece on every line, a tokenizer.json, or a folder that holds either.
        lowercase: whether a vocabulary is of small letters without accents; a tokenizer.json says so itself.
        longest: word pieces that a text may have, the special ones included.

    Raises:
        DynasError: there is none, or it cannot be read.
    """
    file = next((path / name for name in IN_FOLDERS if (path / name).is_file()), path)
    if not file.is_file():
        raise DynasError(f"data.tokenizer={path}: give a {' or '.join(IN_FOLDERS)}, or a folder that holds either")
    try:
        tokenizer = Tokenizer.from_file(str(file)) if file.suffix == ".json" else word_pieces(file, lowercase)
    except DynasError:
        raise
    except Exception as error:  # the package raises nothing more special
        raise DynasError(f"cannot read a tokenizer from '{file}': {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def word_pieces(file: Path, lowercase: bool) -> Tokenizer:
    """Return WordPiece with the vocabulary of a file."""
    pieces = file.read_text(encoding="utf-8").splitlines()
    if missing := [one for one in (UNKNOWN, FIRST, LAST) if one not in pieces]:
        raise DynasError(f"'{file}' is no vocabulary of WordPiece: it lacks {', '.join(missing)}")
    numbers = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(WordPiece(numbers, unk_token=UNKNOWN))
    tokenizer.normalizer = BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing((LAST, numbers[LAST]), (FIRST, numbers[FIRST]))
    return tokenizer
