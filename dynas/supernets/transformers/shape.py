"""The search space of Transformer encoders, and what their layers cost: exact MACs and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynas.core.design import DesignVariable, Gate, is_whole
from dynas.core.space import Architecture, Genotypes, SearchSpace
from dynas.errors import DynasError

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Shape:
    """What the layers of sub-networks are cut from.

    Attributes:
        widths: options of the tokens' width, ascending; one option is no design variable.
        layers: options of the number of layers, ascending.
        heads: options of each layer's attention heads, ascending.
        feeds: options of each layer's feed-forward network, ascending: units, or, as fractions, shares of the width.
        head_size: channels of a head, the same for any number of them.
        stored: width of the stored network where it is larger than every option.
        ranks: each layer's place in the order in which layers are kept, 0 for the last one to go; none: the first are.
    """

    widths: tuple[int, ...]
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    feeds: tuple[int | float, ...]
    head_size: int
    stored: int | None = None
    ranks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        variables = {"widths": self.widths, "layers": self.layers, "heads": self.heads, "feeds": self.feeds}
        for name, options in variables.items():
            whole = all(map(is_whole, options)) or (name == "feeds" and all(isinstance(one, float) for one in options))
            if not options or not whole or list(options) != sorted(set(options)) or options[0] <= 0:
                kind = "whole numbers, or all shares such as 3.5" if name == "feeds" else "whole numbers"
                raise DynasError(f"supernet.{name}={list(options)}: give positive {kind} in ascending order")
        if self.head_size < 1:
            raise DynasError(f"supernet.head_size={self.head_size}: give a positive number")
        if self.stored is not None and self.stored < self.widths[-1]:
            raise DynasError(f"supernet.stored={self.stored}: give the largest of widths={list(self.widths)} or more")
        if self.ranks and sorted(self.ranks) != list(range(self.depth)):
            raise DynasError(
                f"the order of the layers is {list(self.ranks)}: it needs each of 0 to {self.depth - 1} once"
            )

    @property
    def depth(self) -> int:
        """Layers of the stored network."""
        return self.layers[-1]

    @property
    def places(self) -> tuple[int, ...]:
        """Each layer's place in the order in which layers are kept."""
        return self.ranks or tuple(range(self.depth))

    def units(self, width: int, feed: int | float) -> int:
        """Return the units of a feed-forward network that an option stands for."""
        return feed if isinstance(feed, int) else int(width * feed)

    def largest(self) -> Layers:
        """Return the layers of the stored network."""
        width = self.stored or self.widths[-1]
        units = self.units(width, self.feeds[-1])
        return Layers(width, [self.heads[-1]] * self.depth, [units] * self.depth, range(self.depth))

    def of(self, architecture: Architecture) -> Layers:
        """Return the layers of a sub-network."""
        width, depth = architecture.get("width", self.widths[0]), architecture["layers"]
        kept = [layer for layer, place in enumerate(self.places) if place < depth]
        heads, feeds = as_list(architecture["heads"]), as_list(architecture["feed"])
        return Layers(
            width, [heads[layer] for layer in kept], [self.units(width, feeds[layer]) for layer in kept], kept
        )


def as_list(value: object) -> Sequence[int]:
    """Return the values of a design variable, which is a plain value where there is one gene."""
    return value if isinstance(value, list) else [value]  # type: ignore[list-item]


@dataclass(frozen=True)
class Layers:
    """The sizes of one network's layers.

    Attributes:
        width: of the tokens.
        heads, units: of each layer's attention and feed-forward network.
        kept: which layers of the stored network they are.
    """

    width: int
    heads: Sequence[int]
    units: Sequence[int]
    kept: Sequence[int]


def search_space(shape: Shape) -> SearchSpace:
    """Return the space: heads and feed-forward networks of absent layers are inactive."""
    gates = tuple(Gate("layers", 0, place + 1) for place in shape.places)
    widths = [DesignVariable("width", shape.widths)] if len(shape.widths) > 1 else []
    return SearchSpace(
        [
            *widths,
            DesignVariable("layers", shape.layers),
            DesignVariable("heads", shape.heads, shape.depth, gates),
            DesignVariable("feed", shape.feeds, shape.depth, gates),
        ]
    )


@dataclass(frozen=True)
class Choices:
    """The options that genotypes choose, by their numbers.

    Attributes:
        width: of the tokens ``(n,)``.
        depth: number of layers, itself ``(n,)``.
        heads, feeds: of each layer ``(n, layers)``.
        present: whether a layer is there ``(n, layers)``.
    """

    width: Counts
    depth: Counts
    heads: Counts
    feeds: Counts
    present: NDArray[np.bool_]

    @classmethod
    def of(cls, shape: Shape, genotypes: Genotypes) -> Choices:
        """Read genotypes ``(n, G)``."""
        elastic = len(shape.widths) > 1
        width = genotypes[:, 0] if elastic else np.zeros(len(genotypes), dtype=np.int64)
        rest = genotypes[:, 1:] if elastic else genotypes
        depth = np.array(shape.layers)[rest[:, 0]]
        heads, feeds = np.split(rest[:, 1 : 1 + 2 * shape.depth], 2, axis=1)
        return cls(width, depth, heads, feeds, np.array(shape.places) < depth[:, None])


@dataclass(frozen=True)
class Sizes:
    """The sizes that genotypes choose.

    Attributes:
        width: of the tokens ``(n,)``.
        depth: number of layers ``(n,)``.
        channels, units: of each layer's heads together and feed-forward network ``(n, layers)``, 0 where absent.
    """

    width: Counts
    depth: Counts
    channels: Counts
    units: Counts

    @classmethod
    def of(cls, shape: Shape, genotypes: Genotypes) -> Sizes:
        """Read genotypes ``(n, G)``."""
        chosen = Choices.of(shape, genotypes)
        units = np.array([[shape.units(one, feed) for feed in shape.feeds] for one in shape.widths])
        return cls(
            np.array(shape.widths)[chosen.width],
            chosen.depth,
            shape.head_size * np.array(shape.heads)[chosen.heads] * chosen.present,
            units[chosen.width[:, None], chosen.feeds] * chosen.present,
        )


def count_params(sizes: Sizes, norms: int) -> Counts:
    """Return the parameters ``(n,)`` of all layers, each with so many norms: linear layers and norms with biases."""
    width = sizes.width
    attention = (4 * width + 3) * sizes.channels.sum(axis=1)
    feed = (2 * width + 1) * sizes.units.sum(axis=1)
    return np.asarray(attention + feed + sizes.depth * (2 + 2 * norms) * width)


def count_macs(sizes: Sizes, tokens: int) -> Counts:
    """Return the multiply-accumulates ``(n,)`` of all layers for one sample: linear layers and attention's products.

    Neither norms nor softmax count.
    """
    linear = sizes.width * (4 * sizes.channels + 2 * sizes.units).sum(axis=1)
    return np.asarray(tokens * linear + count_products(sizes, tokens))


def count_products(sizes: Sizes, tokens: int) -> Counts:
    """Return the multiply-accumulates ``(n,)`` of the two products of attention: queries by keys, chances by values."""
    return np.asarray(2 * tokens**2 * sizes.channels.sum(axis=1))
