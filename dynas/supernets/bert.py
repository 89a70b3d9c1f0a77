"""BERT as a supernet: elastic layers, heads and feed-forward networks.

Devlin et al. 2019 (arXiv:1810.04805), with the space of DyNAS-T's ``bert_base_sst2``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.core.space import Architecture, Genotypes
from dynas.core.texts import TextData
from dynas.supernets.transformers.lookup import EncoderSupernet, Frame
from dynas.supernets.transformers.names import BERT, renamed
from dynas.supernets.transformers.shape import Shape, Sizes, search_space
from dynas.supernets.transformers.words import Bert, ElasticBert, Words
from dynas.supernets.weights.load import load_weights

USUAL = 128  # word pieces that MACs are stated for as long as no text is known
SHORTEST = 2  # word pieces: those that begin and end a text
OTHER_HEADS = "cls."  # of pretraining, which tell no classes


class BertSupernet(EncoderSupernet):
    """The trained supernet that the search draws from.

    Args:
        weights: ``random`` (untrained) or a path to a checkpoint of ours or of DyNAS-T, or to a classifier's file or
            folder of Hugging Face transformers.
        length: word pieces of the texts that latency and MACs are stated for; None: the mean of the data.
        vocabulary, positions, segments, classes: see `dynas.supernets.transformers.words.Words`.
        width: of the tokens.
        layers, heads, feeds, head_size: see `dynas.supernets.transformers.shape.Shape`.
        epsilon: of the norms.
        seed: seed of the weights where ``weights=random``.
        latency_batch: texts that a latency is stated for; None: the hardware's choice.

    Raises:
        DynasError: the weights cannot be read or do not fit, or the shape makes no sense.
    """

    name = "bert"
    text: Sequence[int] | None
    task = "text classification"
    masked = True

    def __init__(
        self,
        weights: str,
        vocabulary: int,
        positions: int,
        segments: int,
        classes: int,
        width: int,
        layers: Sequence[int],
        heads: Sequence[int],
        feeds: Sequence[int],
        head_size: int,
        length: int | None,
        epsilon: float,
        seed: int = 0,
        latency_batch: int | None = None,
    ) -> None:
        shape = Shape((width,), tuple(layers), tuple(heads), tuple(feeds), head_size)
        words = Words(shape, vocabulary, positions, segments, classes, epsilon, length or min(USUAL, positions))
        self.build(words, length, seed, latency_batch)
        self.weights_digest = load_weights(self.elastic, weights, self.name, named=named)

    def build(self, words: Words, length: int | None, seed: int, latency_batch: int | None) -> None:
        """Make the space and the network with its first weights."""
        self.words, self.length, self.text = words, length, None
        self.latency_batch, self.lengths = latency_batch, (SHORTEST, words.positions)
        self.space = search_space(words.shape)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticBert(words)
        self.elastic.eval()

    @property
    def vocabulary(self) -> int:
        """Number of word pieces that its networks know."""
        return self.words.vocabulary

    @property
    def positions(self) -> int:
        """Word pieces of the longest text."""
        return self.words.positions

    @property
    def frame(self) -> Frame:
        """What its sub-networks have in common."""
        words = self.words
        return Frame(words.shape, (1, words.length, 1), words.length, words.classes)

    def subnet(self, architecture: Architecture) -> Bert:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        subnet: Bert = self.elastic.static(architecture)
        return subnet

    def meet(self, data: TextData) -> None:
        """Take a text of the data as the one that latency and MACs are stated for."""
        self.text = data.typical()
        if self.length is None:
            self.words = replace(self.words, length=len(self.text))

    def example_inputs(self, batch_size: int, subnet: nn.Module | None = None) -> tuple[Tensor, ...]:
        """Return word pieces ``(batch_size, length)`` and their mask: a text, padded, or seeded noise without one."""
        length = self.words.length
        if self.text is None:
            noise = torch.Generator().manual_seed(0)
            pieces = torch.randint(self.words.vocabulary, (batch_size, length), generator=noise)
            return pieces, torch.ones_like(pieces)
        row = torch.tensor([*self.text[:length], *[0] * (length - len(self.text))])
        mask = (torch.arange(length) < len(self.text)).long()
        return row.repeat(batch_size, 1), mask.repeat(batch_size, 1)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates ``(n,)`` for one text of ``length`` word pieces."""
        return self.words.macs(Sizes.of(self.words.shape, genotypes))

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters ``(n,)``, embedding tables included."""
        return self.params_without_embeddings(genotypes) + self.words.embeddings

    def params_without_embeddings(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters ``(n,)`` without the embedding tables."""
        return self.words.params(Sizes.of(self.words.shape, genotypes))


def named(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights under our names, without the heads of pretraining."""
    return {name: value for name, value in renamed(state, BERT).items() if not name.startswith(OTHER_HEADS)}
