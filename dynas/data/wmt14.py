"""WMT'14 English-German as HAT prepared it: fairseq's binarised files with their dictionaries.

HAT (Wang et al. 2020, arXiv:2005.14187) trains on Moses-tokenised text with byte-pair codes, and reports BLEU of
tokenised text; the files hold no plain text, so references are detokenised from them.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import numpy as np

from dynas.data.text.dictionary import Dictionary
from dynas.data.text.fairseq_binary import read_sentences
from dynas.data.text.pieces import Moses
from dynas.data.text.translation import Sides, Translation
from dynas.errors import DynasError


def binarised(
    path: str | None, source: str, target: str, validation: str, validation_size: int | None, seed: int
) -> Translation:
    """Return the sentence pairs of a folder that ``fairseq-preprocess`` wrote.

    Args:
        path: the folder.
        source: language that is translated, as in the files' names.
        target: language that it is translated into.
        validation: split that BLEU is measured on, such as ``valid`` or ``test``.
        validation_size: number of its sentences that are used; None: all.
        seed: decides which ones.

    Raises:
        DynasError: the folder or its files are missing or broken, or do not belong together.
    """
    names = f"dict.{source}.txt, dict.{target}.txt, {validation}.{source}-{target}.{source}.idx and its companions"
    if path is None:
        raise DynasError(f"give data.path=<folder that fairseq-preprocess wrote>: it holds {names}")
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise DynasError(f"no folder '{folder}': data.path is a folder with {names}")
    files = [folder / f"dict.{language}.txt" for language in (source, target)]
    dictionaries = (Dictionary.read(files[0]), Dictionary.read(files[1]))
    sources, targets = read_split(folder, validation, (source, target), dictionaries)
    size = len(sources) if validation_size is None else validation_size
    if not 1 <= size <= len(sources):
        raise DynasError(
            f"data.validation_size={size} must be between 1 and the {len(sources)} sentences of '{validation}'"
        )
    rows = np.sort(np.random.default_rng(seed).permutation(len(sources))[:size])
    prefixes = [folder / f"{validation}.{source}-{target}.{language}" for language in (source, target)]
    files += [prefix.with_name(prefix.name + ending) for prefix in prefixes for ending in (".idx", ".bin")]
    return Translation(
        training=partial(read_split, folder, "train", (source, target), dictionaries),
        validation=[(sources[row], targets[row]) for row in rows],
        references=None,
        dictionaries=dictionaries,
        rules=Moses(target),
        digest=hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest(),
    )


def read_split(
    folder: Path, split: str, languages: tuple[str, str], dictionaries: tuple[Dictionary, Dictionary]
) -> Sides:
    """Return source and target sentences of one split.

    Raises:
        DynasError: its files are missing or broken, or do not hold as many source as target sentences.
    """
    name = f"{split}.{languages[0]}-{languages[1]}"
    sources, targets = (
        read_sentences(folder / f"{name}.{language}", len(dictionary))
        for language, dictionary in zip(languages, dictionaries, strict=True)
    )
    if len(sources) != len(targets):
        raise DynasError(
            f"'{folder / name}' holds {len(sources)} sentences of {languages[0]} but {len(targets)} of {languages[1]}"
        )
    return sources, targets
