"""The blocks of Transformer encoders: as rows of a latency table, and as modules to be timed.

A network is what makes tokens (``stem``), then ``attention`` and ``feed_forward`` of each layer with norms and
residuals, then what makes logits of tokens (``classify``). Tokens are an image of height 1: ``1 x tokens x width``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dynas.core.objectives import Values
from dynas.core.space import Architecture, Genotypes
from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.hardware.lut.blocks import Block, Image, MakeModule
from dynas.hardware.lut.contracts import BlockTable
from dynas.supernets.transformers.shape import Choices, Shape


class Part(nn.Module):
    """One method of a network or of a layer as a module of its own.

    Args:
        owner: the network or layer.
        method: maps what is timed.
    """

    def __init__(self, owner: nn.Module, method: Callable[..., Tensor]) -> None:
        super().__init__()
        self.owner, self.method = owner, method

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return what the method makes of the inputs."""
        return self.method(*inputs)


@dataclass(frozen=True)
class Frame:
    """What the sub-networks of an encoder have in common.

    Attributes:
        shape: of the layers.
        image: what they see, as height, width and channels; of texts 1, word pieces and 1.
        tokens: of one sample.
        outputs: number of logits.
    """

    shape: Shape
    image: Image
    tokens: int
    outputs: int


class EncoderSupernet(Supernet):
    """A supernet of Transformer encoders, whose blocks can be timed one by one.

    Attributes:
        masked: whether attention is told what is padding.
    """

    masked: bool = False

    @property
    @abstractmethod
    def frame(self) -> Frame:
        """What its sub-networks have in common."""

    def of_size(self, width: int, heads: int, feed: int | float) -> Architecture:
        """Return an architecture whose layers are all alike."""
        depth = self.frame.shape.depth
        alike: Architecture = {"layers": self.frame.shape.layers[0], "heads": [heads] * depth, "feed": [feed] * depth}
        return alike | ({"width": width} if len(self.frame.shape.widths) > 1 else {})

    def lookup(self, table: BlockTable) -> Callable[[Genotypes], Values]:
        """Return the function from canonical genotypes ``(n, G)`` to summed latencies ``(n,)`` in milliseconds.

        Raises:
            DynasError: the table lacks a block of this network, or is for another width.
        """
        if table.width is not None:
            raise DynasError(f"hardware.width={table.width}: a '{self.name}' has no width multiplier; give null")
        shape = self.frame.shape
        blocks = table.network(self.stem(shape.widths[0]))
        ends, attention, feed = (
            np.array([[blocks[block] for block in kind] for kind in rows])
            for rows in zip(*map(self.blocks_of, shape.widths), strict=True)
        )

        def total(genotypes: Genotypes) -> Values:
            chosen = Choices.of(shape, genotypes)
            row = chosen.width[:, None]
            layers = (attention[row, chosen.heads] + feed[row, chosen.feeds]) * chosen.present
            # rounded to what is more than the noise of adding up
            return np.asarray(np.round(ends.sum(axis=1)[chosen.width] + layers.sum(axis=1), 9))

        return total

    def stem(self, width: int) -> Block:
        """Return what makes tokens of a width."""
        return Block("stem", self.frame.image, (1, self.frame.tokens, width))

    def blocks_of(self, width: int) -> tuple[list[Block], list[Block], list[Block]]:
        """Return both ends, attention by heads, and feed-forward networks by their options, at one width."""
        tokens = (1, self.frame.tokens, width)
        ends = [self.stem(width), Block("classify", tokens, (1, 1, self.frame.outputs))]
        sizes = [heads * self.frame.shape.head_size for heads in self.frame.shape.heads]
        units = [self.frame.shape.units(width, feed) for feed in self.frame.shape.feeds]
        attention, feeds = (
            [Block(kind, tokens, tokens, middle, 1, 1, 1) for middle in middles]
            for kind, middles in (("attention", sizes), ("feed_forward", units))
        )
        return ends, attention, feeds

    def block_modules(self) -> Mapping[Block, MakeModule]:
        """Return all blocks of all sub-networks in the order of the network, each with what makes its module."""
        return dict(self._makers())

    def _makers(self) -> Iterator[tuple[Block, MakeModule]]:
        least, shape = (self.frame.shape.heads[0], self.frame.shape.feeds[0]), self.frame.shape
        found = {width: self.blocks_of(width) for width in shape.widths}
        for width, ((stem, _), _, _) in found.items():
            yield stem, partial(self._part, self.of_size(width, *least), "embed")
        for width, (_, attention, feeds) in found.items():
            for block, heads in zip(attention, shape.heads, strict=True):
                yield block, partial(self._part, self.of_size(width, heads, least[1]), "attend")
            for block, feed in zip(feeds, shape.feeds, strict=True):
                yield block, partial(self._part, self.of_size(width, least[0], feed), "feed")
        for width, ((_, classify), _, _) in found.items():
            yield classify, partial(self._part, self.of_size(width, *least), "logits")

    def _part(self, architecture: Architecture, what: str) -> nn.Module:
        subnet: Any = self.subnet(architecture)
        layer = subnet.layers[0]
        methods = {"embed": subnet.embed, "attend": layer.attend, "feed": layer.feed, "logits": subnet.logits}
        return Part(layer if what in ("attend", "feed") else subnet, methods[what])

    def block_inputs(self, block: Block, batch_size: int) -> tuple[Tensor, ...]:
        """Return what a block's module takes: the supernet's own example, or noise for tokens."""
        if block.block == "stem":
            return self.example_inputs(batch_size)[:1]
        noise = torch.Generator().manual_seed(0)
        tokens = torch.randn(batch_size, *block.input[1:], generator=noise)
        if block.block == "attention" and self.masked:
            return tokens, torch.zeros(batch_size, 1, 1, tokens.shape[1])
        return (tokens,)
