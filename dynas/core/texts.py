"""The contracts of text classification: its data and its supernets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from dynas.core.data import Data

TextBatch = tuple[Tensor, Tensor, Tensor]  # word pieces (n, T), mask (n, T), labels (n,)


class TextData(Data):
    """Texts with one label each; the same ones for every sub-network.

    Attributes:
        classes: number of classes.
        vocabulary: number of word pieces.
        longest: word pieces of the longest text, the special ones included.
        length: mean number of word pieces of the validation texts, rounded.
    """

    task = "text classification"
    quality = "accuracy"
    classes: int
    vocabulary: int
    longest: int
    length: int

    @abstractmethod
    def typical(self) -> Sequence[int]:
        """Return the word pieces of the validation text whose length is nearest to the mean one."""

    @abstractmethod
    def validation_batches(self) -> Iterator[TextBatch]:
        """Yield what accuracy is measured on, each text once: texts of like length together, padding masked by 0."""

    @abstractmethod
    def calibration_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield word pieces ``(n, T)`` and masks ``(n, T)`` of some training texts, always the same ones."""

    @abstractmethod
    def training_steps(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""

    @abstractmethod
    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[TextBatch]:
        """Yield one epoch in random order, in full batches of texts of like length."""


@runtime_checkable
class ReadsTexts(Protocol):
    """A supernet that says which texts its networks can read, and that looks at some before it is searched."""

    def meet(self, data: TextData) -> None:
        """Take of the data what latency and MACs are stated for, and what its parts are put in order by."""
        ...

    @property
    def vocabulary(self) -> int:
        """Number of word pieces that it knows."""
        ...

    @property
    def positions(self) -> int:
        """Word pieces of the longest text."""
        ...
