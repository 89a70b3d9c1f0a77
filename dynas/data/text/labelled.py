"""Texts with labels, as batches of word pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from dynas.core.texts import TextBatch, TextData
from dynas.errors import DynasError

BATCH = 64  # texts that are looked at together
CALIBRATION = 256  # training texts that tell which parts of a network matter, and how large activations are
POOL = 50  # training batches whose texts are put in order of length together


@dataclass(frozen=True)
class Texts:
    """Texts and their labels.

    Attributes:
        texts: the texts.
        labels: numbers of their classes.
    """

    texts: Sequence[str]
    labels: Sequence[int]

    def __len__(self) -> int:
        return len(self.texts)


class LabelledTexts(TextData):
    """Texts for training and validation.

    Args:
        training, validation: the texts.
        classes: number of classes.
        tokenizer: makes word pieces of them.
        longest: word pieces that a text may have; longer ones are cut off.

    Raises:
        DynasError: there is nothing to validate on.
    """

    concurrent = True

    def __init__(self, training: Texts, validation: Texts, classes: int, tokenizer: Tokenizer, longest: int) -> None:
        if not len(validation):
            raise DynasError("there is no text to validate on")
        self.classes, self.longest = classes, longest
        self.vocabulary = tokenizer.get_vocab_size()
        self._training, self._validation = (self._pieces(one, tokenizer) for one in (training, validation))
        self.length = round(float(np.mean([len(pieces) for pieces, _ in self._validation])))
        seen = repr((classes, self._training, self._validation))
        self.digest = hashlib.sha256(seen.encode()).hexdigest()

    @staticmethod
    def _pieces(texts: Texts, tokenizer: Tokenizer) -> list[tuple[list[int], int]]:
        found = tokenizer.encode_batch(list(texts.texts))
        return [(one.ids, label) for one, label in zip(found, texts.labels, strict=True)]

    def typical(self) -> Sequence[int]:
        """Return the word pieces of the validation text whose length is nearest to the mean one."""
        return min((pieces for pieces, _ in self._validation), key=lambda pieces: abs(len(pieces) - self.length))

    def validation_batches(self) -> Iterator[TextBatch]:
        """Yield what accuracy is measured on, each text once, the shortest first."""
        order = sorted(range(len(self._validation)), key=lambda index: len(self._validation[index][0]))
        for start in range(0, len(order), BATCH):
            yield padded([self._validation[index] for index in order[start : start + BATCH]])

    def calibration_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield word pieces and masks of random training texts, always the same ones."""
        rows = np.random.default_rng(0).permutation(len(self._training))[:CALIBRATION]
        for start in range(0, len(rows), BATCH):
            pieces, mask, _ = padded([self._training[row] for row in rows[start : start + BATCH]])
            yield pieces, mask

    def training_steps(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""
        return len(self._training) // batch_size

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[TextBatch]:
        """Yield one epoch in random order, in full batches of texts of like length."""
        order = rng.permutation(len(self._training))[: self.training_steps(batch_size) * batch_size]
        batches = []
        for start in range(0, len(order), POOL * batch_size):
            pool = sorted(order[start : start + POOL * batch_size], key=lambda index: len(self._training[index][0]))
            batches += [pool[first : first + batch_size] for first in range(0, len(pool), batch_size)]
        for number in rng.permutation(len(batches)):
            yield padded([self._training[index] for index in batches[number]])


def padded(examples: Sequence[tuple[list[int], int]]) -> TextBatch:
    """Return word pieces ``(n, T)``, a mask that is 0 at padding, and labels ``(n,)``."""
    longest = max(len(pieces) for pieces, _ in examples)
    pieces = torch.zeros(len(examples), longest, dtype=torch.long)
    mask = torch.zeros_like(pieces)
    for row, (own, _) in enumerate(examples):
        pieces[row, : len(own)] = torch.tensor(own)
        mask[row, : len(own)] = 1
    return pieces, mask, torch.tensor([label for _, label in examples])
