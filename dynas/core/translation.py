"""The contracts of translation, its data and its networks, and the four special ids that they share with fairseq."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from dynas.core.data import Data

BOS, PAD, EOS, UNK = range(4)
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")  # the dictionary's names of ids 0 to 3

Pair = tuple[list[int], list[int]]  # source and target ids, each ending with EOS
TokenBatch = tuple[Tensor, Tensor, Tensor]  # source (n, S), previous output (n, T), target (n, T)


class TranslationData(Data):
    """Sentence pairs of one task; the same ones for every sub-network.

    Attributes:
        source_vocabulary: number of ids of the source language, special ones included.
        target_vocabulary: number of ids of the target language, special ones included.
        validation: the pairs that translation is measured on.
        references: the validation's target sentences as plain text.
        tokenised_references: the same, split into words and punctuation.
    """

    task = "translation"
    quality = "bleu"
    source_vocabulary: int
    target_vocabulary: int
    validation: Sequence[Pair]
    references: list[str]
    tokenised_references: list[str]

    @abstractmethod
    def detokenise(self, ids: Sequence[int]) -> str:
        """Return target ids up to the first EOS as plain text."""

    @abstractmethod
    def tokenised(self, ids: Sequence[int]) -> str:
        """Return target ids up to the first EOS as words and punctuation with spaces between them."""

    @abstractmethod
    def training_steps(self, max_tokens: int) -> int:
        """Return the number of batches of an epoch."""

    @abstractmethod
    def training_batches(self, max_tokens: int, rng: np.random.Generator) -> Iterator[TokenBatch]:
        """Yield one epoch in random order, sentences of like length together.

        Args:
            max_tokens: the sentences of a batch times its longest sentence are at most this.
            rng: decides the order.

        Yields:
            int64 tensors: source ``(n, S)`` padded on the left, previous output ``(n, T)`` (EOS, then the target
            without its EOS) and target ``(n, T)``, both padded on the right, the target by `dynas.core.data.IGNORED`.
        """


class DecodingState(Protocol):
    """What a network remembers of sentences that it is translating; its rows are those of the target."""

    def reorder(self, rows: Tensor) -> None:
        """Let row ``i`` of the target continue what was row ``rows[i]``; rows may be dropped or repeated."""
        ...

    def keep(self, sentences: Tensor) -> None:
        """Drop the source sentences that are not listed."""
        ...


@runtime_checkable
class Translator(Protocol):
    """A network that can be decoded step by step, such as `dynas.supernets.hat.network.Transformer`."""

    @property
    def vocabularies(self) -> tuple[int, int]:
        """Number of tokens of source and target language."""
        ...

    @property
    def max_positions(self) -> int:
        """Longest sentence in tokens."""
        ...

    def encode(self, source: Tensor) -> DecodingState:
        """Read source sentences ``(N, S)``."""
        ...

    def decode(self, tokens: Tensor, state: Any) -> Tensor:
        """Return logits ``(rows, T, vocabulary)`` of what follows each of ``tokens`` ``(rows, T)``; see `encode`."""
        ...
