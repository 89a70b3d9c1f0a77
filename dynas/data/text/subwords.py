"""Byte-pair codes (Sennrich et al. 2016, arXiv:1508.07909) in the file format of subword-nmt.

A file has one merge a line, the most frequent first, after the line ``#version: 0.2``; ``</w>`` marks the end of a
word. Split words are written with ``@@`` behind every piece but the last.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynas.errors import DynasError
from dynas.system.text_file import read_lines

VERSION = "#version: 0.2"
END, MORE = "</w>", "@@"


def join(pieces: Sequence[str]) -> str:
    """Return the words that pieces are parts of, with spaces between them."""
    return f"{' '.join(pieces)} ".replace(f"{MORE} ", "").rstrip(" ")


@dataclass(frozen=True)
class SubwordCodes:
    """Merges of two neighbouring symbols, in the order in which they are made."""

    merges: tuple[tuple[str, str], ...]

    @classmethod
    def learn(cls, sentences: Sequence[str], merges: int) -> SubwordCodes:
        """Return up to ``merges`` codes of sentences whose words stand between spaces."""
        from tokenizers import trainers

        tokenizer = word_tokenizer([], {})
        symbols = {character for sentence in sentences for character in sentence if character != " "}
        symbols |= {word[-1] + END for sentence in sentences for word in sentence.split(" ") if word}
        trainer = trainers.BpeTrainer(
            vocab_size=len(symbols) + merges,
            show_progress=False,
            end_of_word_suffix=END,
            initial_alphabet=sorted(symbol for symbol in symbols if len(symbol) == 1),
        )
        tokenizer.train_from_iterator(sentences, trainer)
        found = json.loads(tokenizer.to_str())["model"]["merges"]
        return cls(tuple((left, right) for left, right in found[:merges]))

    @classmethod
    def read(cls, path: Path) -> SubwordCodes:
        """Read a file of subword-nmt.

        Raises:
            DynasError: the file is missing, or is no such file.
        """
        lines = read_lines(path, "file of byte-pair codes")
        if not lines or lines[0] != VERSION:
            raise DynasError(f"'{path}' is no file of byte-pair codes: its first line must be '{VERSION}'")
        merges = [tuple(line.split(" ")) for line in lines[1:] if line]
        wrong = next((number for number, merge in enumerate(merges, 2) if len(merge) != 2 or "" in merge), None)
        if wrong:
            raise DynasError(f"'{path}' line {wrong} is no pair of symbols with one space between them")
        return cls(tuple((merge[0], merge[1]) for merge in merges))

    def write(self, path: Path) -> None:
        """Write a file that subword-nmt and `read` understand."""
        path.write_text("".join(f"{line}\n" for line in (VERSION, *map(" ".join, self.merges))), encoding="utf-8")

    def split(self, sentences: Sequence[str]) -> list[list[str]]:
        """Return the pieces of sentences whose words stand between spaces."""
        words = sorted({word for sentence in sentences for word in sentence.split(" ") if word})
        characters = set().union(*words)
        symbols = {symbol for pair in self.merges for symbol in (*pair, "".join(pair))}
        symbols |= characters | {character + END for character in characters}
        vocabulary = {symbol: index for index, symbol in enumerate(sorted(symbols))}
        encoded = word_tokenizer(list(self.merges), vocabulary).encode_batch(words)
        pieces = {word: [marked(symbol) for symbol in one.tokens] for word, one in zip(words, encoded, strict=True)}
        return [[piece for word in sentence.split(" ") if word for piece in pieces[word]] for sentence in sentences]


def marked(symbol: str) -> str:
    """Return a piece as it is written: with ``@@`` unless it ends its word."""
    return symbol.removesuffix(END) if symbol.endswith(END) else symbol + MORE


def word_tokenizer(merges: list[tuple[str, str]], vocabulary: dict[str, int]) -> Any:
    """Return the library's byte-pair tokenizer of words between spaces."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(vocabulary, merges, end_of_word_suffix=END))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "removed")
    return tokenizer
