"""Anyone's sentence pairs from text files, with subwords that are given or learned."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from dynas.data.text.dictionary import Dictionary
from dynas.data.text.parallel_files import TextPairs, near_duplicate_key, read_pairs
from dynas.data.text.pieces import Moses, SentencePieces, TextRules
from dynas.data.text.sentences import Sentences
from dynas.data.text.subwords import SubwordCodes
from dynas.data.text.translation import Sides, Translation
from dynas.errors import DynasError

Rules = tuple[TextRules, TextRules]
Pieces = tuple[list[list[str]], list[list[str]]]  # of every source and every target sentence
LEARN = "learn"


def parallel_text(
    source: str | None,
    target: str | None,
    languages: tuple[str, str] | list[str],
    validation_source: str | None,
    validation_target: str | None,
    validation_size: int | None,
    subwords: str,
    merges: int,
    dictionary: str | None,
    max_length: int,
    seed: int,
) -> Translation:
    """Return the sentence pairs of text files; both languages share subwords and dictionary.

    Args:
        source: file with a sentence of the source language on every line, or with pairs between tabs.
        target: file with the translations; None: ``source`` holds both.
        languages: codes of source and target language, for Moses' rules.
        validation_source: like ``source``, for validation; None: pairs are split off.
        validation_target: like ``target``, for validation.
        validation_size: pairs that are split off, or that are used of the validation files; None: all of these.
        subwords: ``learn``, a file of byte-pair codes or a SentencePiece model (.model).
        merges: number of byte-pair codes that are learned.
        dictionary: file with the dictionary; None: it is made of the training pairs.
        max_length: training pairs with more pieces on either side are left out.
        seed: decides the split, and which of the validation files' pairs are used.

    Raises:
        DynasError: a setting or a file is at fault.
    """
    if source is None:
        raise DynasError(
            "give data.source=<text file> data.target=<its translations>, or data.source=<file of pairs between tabs>"
        )
    if len(languages) != 2 or max_length < 1 or merges < 0:
        raise DynasError(
            f"data.languages={list(languages)} data.max_length={max_length} data.merges={merges}: "
            "give two languages such as [en,de], a length of 1 or more and no negative number of merges"
        )
    pairs = read_pairs(source, target)
    if validation_source is None:
        training, validation = split(pairs, validation_size or 0, np.random.default_rng(seed))
    else:
        training, validation = pairs, read_pairs(validation_source, validation_target)
        validation = sample(validation, validation_size, seed)
    pieces: Pieces | None = None
    if subwords == LEARN:
        rules, pieces = learn(training, (languages[0], languages[1]), merges)
    else:
        rules = read_rules(Path(subwords).expanduser(), (languages[0], languages[1]))
    if dictionary:
        words = Dictionary.read(Path(dictionary).expanduser())
    else:
        pieces = pieces or both_sides(training, rules)
        words = Dictionary.build([*pieces[0], *pieces[1]])

    def read_training() -> Sides:
        return numbered(both_sides(training, rules) if pieces is None else pieces, words, max_length)

    sources, targets = ([words.encode(row) for row in side] for side in both_sides(validation, rules))
    return Translation(
        training=read_training,
        validation=list(zip(sources, targets, strict=True)),
        references=validation.targets,
        dictionaries=(words, words),
        rules=rules[1],
        digest=digest_of(training, validation, words),
    )


def read_rules(path: Path, languages: tuple[str, str]) -> Rules:
    """Return the text rules of both languages with the subwords of a file."""
    if path.suffix == ".model":
        return SentencePieces(path, languages[0]), SentencePieces(path, languages[1])
    codes = SubwordCodes.read(path)
    return Moses(languages[0], codes), Moses(languages[1], codes)


def learn(training: TextPairs, languages: tuple[str, str], merges: int) -> tuple[Rules, Pieces]:
    """Return text rules with byte-pair codes learned from both sides, and the pieces of both sides."""
    sources, targets = (
        [moses.words(text) for text in texts]
        for moses, texts in zip(map(Moses, languages), (training.sources, training.targets), strict=True)
    )
    codes = SubwordCodes.learn([*sources, *targets], merges)
    rules = Moses(languages[0], codes), Moses(languages[1], codes)
    return rules, (codes.split(sources), codes.split(targets))


def both_sides(pairs: TextPairs, rules: Rules) -> Pieces:
    """Return the pieces of sources and targets."""
    return rules[0].pieces(pairs.sources), rules[1].pieces(pairs.targets)


def numbered(pieces: Pieces, words: Dictionary, max_length: int) -> Sides:
    """Return the ids of pairs of at most ``max_length`` pieces a side.

    Raises:
        DynasError: no pair is left.
    """
    rows = [pair for pair in zip(*pieces, strict=True) if max(map(len, pair)) <= max_length]
    if not rows:
        raise DynasError(f"data.max_length={max_length} leaves no training pair: give a larger one")
    sources, targets = (Sentences.of([words.encode(side) for side in sides]) for sides in zip(*rows, strict=True))
    return sources, targets


def sample(pairs: TextPairs, size: int | None, seed: int) -> TextPairs:
    """Return ``size`` of the pairs in their order; None: all."""
    if size is None:
        return pairs
    if not 1 <= size <= len(pairs):
        raise DynasError(f"data.validation_size={size} must be between 1 and the {len(pairs)} validation pairs")
    return pairs.take(sorted(np.random.default_rng(seed).permutation(len(pairs))[:size].tolist()))


def split(pairs: TextPairs, size: int, rng: np.random.Generator) -> tuple[TextPairs, TextPairs]:
    """Split off ``size`` random pairs of which no near-duplicate stays in training, on either side.

    Where documents are known, whole ones are taken, and the rest of the last one is used for neither.

    Raises:
        DynasError: there are not enough pairs.
    """
    keys = [
        (near_duplicate_key(source), near_duplicate_key(target))
        for source, target in zip(pairs.sources, pairs.targets, strict=True)
    ]
    documents = pairs.documents or [str(row) for row in range(len(pairs))]
    rows_of: dict[str, list[int]] = {}
    for row, document in enumerate(documents):
        rows_of.setdefault(document, []).append(row)
    names = list(rows_of)
    chosen: list[int] = []
    taken: set[str] = set()
    sides: tuple[set[str], set[str]] = (set(), set())
    for index in rng.permutation(len(names)):
        if len(chosen) >= size:
            break
        taken.add(names[index])
        for row in rows_of[names[index]]:
            if keys[row][0] not in sides[0] and keys[row][1] not in sides[1]:
                chosen.append(row)
                sides[0].add(keys[row][0])
                sides[1].add(keys[row][1])
    chosen = sorted(chosen[:size])
    rest = [
        row
        for row in range(len(pairs))
        if documents[row] not in taken and keys[row][0] not in sides[0] and keys[row][1] not in sides[1]
    ]
    if size < 1 or len(chosen) < size or not rest:
        raise DynasError(
            f"data.validation_size={size} cannot be split off {len(pairs)} pairs: give a number from 1 to well below "
            "it, or data.validation_source"
        )
    return pairs.take(rest), pairs.take(chosen)


def digest_of(training: TextPairs, validation: TextPairs, words: Dictionary) -> str:
    """Return the SHA-256 of all texts and tokens."""
    digest = hashlib.sha256()
    for lines in (training.sources, training.targets, validation.sources, validation.targets, words.tokens):
        digest.update("\n".join(lines).encode() + b"\0")
    return digest.hexdigest()
