"""The contracts of language modelling: its data, its supernets and its networks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dynas.core.data import Data
from dynas.core.space import Genotypes

TASK = "language modelling"
Windows = tuple[
    Tensor, Tensor
]  # tokens (n, T), and the token that follows each (n, T), IGNORED where it does not count


class LanguageData(Data):
    """Texts to be foretold token by token; the same ones for every sub-network.

    Attributes:
        vocabulary: number of tokens.
        window: tokens that a network sees at a time.
        tokenizer_digest: SHA-256 of what the tokenizer does.
        validation_bytes: bytes of UTF-8 that the tokens stand for which count in validation.
    """

    task = TASK
    quality = "bits_per_byte"
    vocabulary: int
    window: int
    tokenizer_digest: str
    validation_bytes: int

    @abstractmethod
    def validation_batches(self) -> Iterator[Windows]:
        """Yield what quality is measured on, each token once."""

    @abstractmethod
    def training_steps(self, batch_size: int) -> int:
        """Return the number of batches of ``batch_size`` tokens in an epoch."""

    @abstractmethod
    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[Windows]:
        """Yield one epoch of windows in random order, in batches of ``batch_size`` tokens."""


@runtime_checkable
class LanguageSupernet(Protocol):
    """A supernet whose networks foretell tokens."""

    @property
    def vocabulary(self) -> int:
        """Number of tokens that it knows."""
        ...

    @property
    def positions(self) -> int:
        """Longest text in tokens."""
        ...

    @property
    def tokenizer_digest(self) -> str | None:
        """SHA-256 of what its own tokenizer does; None where it has none."""
        ...

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the parameters ``(n,)`` of canonical genotypes ``(n, G)``."""
        ...

    def remembered(self, genotypes: Genotypes, tokens: int) -> NDArray[np.int64]:
        """Return the numbers ``(n,)`` that keys and values of one text take in a cache."""
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """A network that can be run token by token, such as `dynas.supernets.decoders.network.Decoder`."""

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        ...

    @property
    def positions(self) -> int:
        """Longest text in tokens."""
        ...

    def __call__(self, input_ids: Tensor) -> Tensor:
        """Return the logits ``(N, T, vocabulary)`` of what follows each of the tokens ``(N, T)``."""
        ...

    def start(self) -> Any:
        """Return what it remembers before the first token; its ``copy()`` can be continued without changing it."""
        ...

    def decode(self, input_ids: Tensor, memories: Any) -> Tensor:
        """Continue texts by tokens ``(N, T)``; return the logits ``(N, vocabulary)`` of what follows the last ones."""
        ...
