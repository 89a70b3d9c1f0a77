"""Many sentences of ids in one flat array, and how they are put into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dynas.core.data import IGNORED
from dynas.core.translation import EOS, PAD, TokenBatch
from dynas.errors import DynasError


@dataclass(frozen=True)
class Sentences:
    """Sentences that end with EOS.

    Attributes:
        tokens: all ids one after another ``(tokens,)``; a memory map where the file is large.
        starts: where each sentence begins ``(N,)``.
        lengths: ids of each sentence ``(N,)``.
        shift: what the stored numbers are larger than the ids by.
    """

    tokens: NDArray[Any]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    shift: int = 0

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Sentences:
        """Return the sentences with these ids."""
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        tokens = np.fromiter((token for row in rows for token in row), dtype=np.int32, count=int(lengths.sum()))
        return cls(tokens, np.cumsum(lengths) - lengths, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> list[int]:
        start, length = int(self.starts[index]), int(self.lengths[index])
        ids: list[int] = (self.tokens[start : start + length].astype(np.int64) - self.shift).tolist()
        return ids

    def padded(self, rows: NDArray[np.int64], left: bool) -> NDArray[np.int64]:
        """Return some sentences ``(n, longest)`` with PAD before (``left``) or behind them."""
        lengths = self.lengths[rows]
        width = int(lengths.max())
        places = np.arange(width) - (width - lengths if left else np.zeros_like(lengths))[:, None]
        inside = (places >= 0) & (places < lengths[:, None])
        matrix = np.full((len(rows), width), PAD, dtype=np.int64)
        matrix[inside] = self.tokens[(self.starts[rows][:, None] + places)[inside]].astype(np.int64) - self.shift
        return matrix


def batch_rows(
    source: Sentences, target: Sentences, max_tokens: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Return the pairs of each batch of an epoch: like lengths together, equal ones in random order.

    Raises:
        DynasError: a sentence is longer than a batch may be.
    """
    widths = np.maximum(source.lengths, target.lengths)
    if len(widths) and widths.max() > max_tokens:
        raise DynasError(
            f"a batch of {max_tokens} tokens cannot hold the longest training sentence of {widths.max()}: "
            f"give {widths.max()} or more tokens a batch"
        )
    order = rng.permutation(len(widths))
    order = order[np.lexsort((source.lengths[order], target.lengths[order]))]  # stable: equal lengths stay mixed
    return cut(order, widths[order], max_tokens)


def training_batches(
    source: Sentences, target: Sentences, max_tokens: int, rng: np.random.Generator
) -> Iterator[TokenBatch]:
    """Yield one epoch of all pairs as `dynas.core.translation.TranslationData.training_batches` says.

    Raises:
        DynasError: a sentence is longer than a batch may be.
    """
    batches = batch_rows(source, target, max_tokens, rng)
    for index in rng.permutation(len(batches)):
        yield collate(source, target, batches[index])


def cut(order: NDArray[np.int64], widths: NDArray[np.int64], max_tokens: int) -> list[NDArray[np.int64]]:
    """Cut ``order`` ``(N,)`` into runs whose number times their largest width is at most ``max_tokens``."""
    batches, start, longest = [], 0, 0
    for place, width in enumerate(widths.tolist()):
        longest = max(longest, width)
        if longest * (place + 1 - start) > max_tokens:
            batches.append(order[start:place])
            start, longest = place, width
    return [*batches, order[start:]] if len(order) else []


def collate(source: Sentences, target: Sentences, rows: NDArray[np.int64]) -> TokenBatch:
    """Return one batch of the pairs ``rows`` ``(n,)``."""
    outputs = target.padded(rows, left=False)
    previous = np.full_like(outputs, EOS)
    previous[:, 1:] = np.where(outputs[:, :-1] == EOS, PAD, outputs[:, :-1])
    inputs = source.padded(rows, left=True)
    labels = np.where(outputs == PAD, IGNORED, outputs)
    return torch.from_numpy(inputs), torch.from_numpy(previous), torch.from_numpy(labels)
