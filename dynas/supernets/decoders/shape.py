"""The search space of decoders, and what their layers cost: exact MACs and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynas.core.design import DesignVariable, Gate, is_whole
from dynas.core.space import Architecture, Genotypes, SearchSpace
from dynas.errors import DynasError
from dynas.supernets.decoders.config import Config

Counts = NDArray[np.int64]
Options = Sequence[int | float] | None
INNER = "inner"  # all layers but the first and the last one
STEP = 8  # of widths and units, which machines like to be even


@dataclass(frozen=True)
class Layers:
    """The sizes of one network.

    Attributes:
        width: of the tokens.
        kept: which layers of the whole network it has.
        groups, units: of each of them.
    """

    width: int
    kept: Sequence[int]
    groups: Sequence[int]
    units: Sequence[int]


@dataclass(frozen=True)
class Shape:
    """What sub-networks may have, as numbers in ascending order.

    Attributes:
        config: the whole network.
        widths: channels of a token.
        depths: numbers of layers; those that matter least go first.
        skipped: layers that each may be left out on its own.
        groups: key-value groups of each layer; 0: its attention is skipped.
        units: hidden ones of each layer's feed-forward network.
        order: the layers, the one that matters most first.
    """

    config: Config
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    skipped: tuple[int, ...]
    groups: tuple[int, ...]
    units: tuple[int, ...]
    order: tuple[int, ...]

    @classmethod
    def made(
        cls,
        config: Config,
        widths: Options,
        layers: Options,
        skip: Sequence[int] | str | None,
        groups: Options,
        feeds: Options,
        order: Sequence[int],
    ) -> Shape:
        """Return the options that a supernet's settings name; see `dynas.supernets.decoder.DecoderSupernet`.

        Raises:
            DynasError: a setting makes no sense.
        """
        depths = numbers("layers", layers, config.layers, 1)
        skipped = left_out(skip, config.layers)
        if skipped and len(depths) > 1:
            raise DynasError(
                "supernet.layers and supernet.skip both say which layers are left out: make one of them null"
            )
        shape = cls(
            config,
            numbers("widths", widths, config.width, 1, STEP),
            depths,
            skipped,
            numbers("groups", groups, config.groups, 0),
            numbers("feeds", feeds, config.units, 1, STEP),
            tuple(order),
        )
        if not any(len(one) > 1 for one in (shape.widths, depths, shape.groups, shape.units)) and not skipped:
            raise DynasError("nothing of the network is elastic: give supernet.widths, layers, skip, groups or feeds")
        return shape

    def largest(self) -> Layers:
        """Return the layers of the whole network."""
        one = self.config
        return Layers(one.width, range(one.layers), [one.groups] * one.layers, [one.units] * one.layers)

    def of(self, architecture: Architecture) -> Layers:
        """Return the layers of a sub-network."""
        count = self.config.layers
        depth, keep = architecture.get("layers", count), as_list(architecture.get("keep", []))
        absent = {layer for layer, one in zip(self.skipped, keep, strict=True) if not one} | {*self.order[depth:]}
        kept = [layer for layer in range(count) if layer not in absent]
        groups, units = (
            as_list(architecture[name]) if name in architecture else [whole] * count
            for name, whole in (("groups", self.config.groups), ("feed", self.config.units))
        )
        width = architecture.get("width", self.config.width)
        return Layers(width, kept, [groups[layer] for layer in kept], [units[layer] for layer in kept])

    def space(self) -> SearchSpace:
        """Return the search space: groups and feed-forward networks of absent layers are inactive."""
        gates = [self.gate(layer) for layer in range(self.config.layers)]
        found = []
        if len(self.widths) > 1:
            found.append(DesignVariable("width", self.widths))
        if len(self.depths) > 1:
            found.append(DesignVariable("layers", self.depths))
        if self.skipped:
            found.append(DesignVariable("keep", (0, 1), len(self.skipped)))
        for name, options in (("groups", self.groups), ("feed", self.units)):
            if len(options) > 1:
                found.append(DesignVariable(name, options, self.config.layers, tuple(gates)))
        return SearchSpace(found)

    def gate(self, layer: int) -> Gate | None:
        """Return what a layer's presence depends on."""
        if layer in self.skipped:
            return Gate("keep", self.skipped.index(layer), 1)
        return Gate("layers", 0, self.order.index(layer) + 1) if len(self.depths) > 1 else None


def left_out(skip: Sequence[int] | str | None, layers: int) -> tuple[int, ...]:
    """Return the layers that each may be left out, or raise DynasError."""
    if skip == INNER:
        return tuple(range(1, layers - 1))
    if isinstance(skip, str) or any(not is_whole(one) or not 0 <= one < layers for one in skip or ()):
        raise DynasError(f"supernet.skip={skip}: give {INNER}, a list of layers from 0 to {layers - 1}, or null")
    if len(found := set(skip or ())) == layers:
        raise DynasError(f"supernet.skip={skip} may leave out all {layers} layers: leave one that stays")
    return tuple(sorted(found))


def numbers(name: str, options: Options, whole: int, least: int, step: int = 1) -> tuple[int, ...]:
    """Return options as numbers, whole ones as they are and fractions as shares of the whole network's.

    Shares are rounded to multiples of ``step`` where the whole is one; those that become the same count once.

    Raises:
        DynasError: one is too small or too large, they do not ascend, or the whole network is not the last.
    """
    unit = step if whole % step == 0 else 1
    found = [option if is_whole(option) else unit * round(whole * option / unit) for option in options or [whole]]
    if not all(map(is_whole, options or [whole])):
        found = list(dict.fromkeys(found))
    if found != sorted(set(found)) or found[0] < least or found[-1] != whole:
        raise DynasError(
            f"supernet.{name}={list(options or [])} are {found} of {whole}: give numbers or shares that ascend from "
            f"{least} or more to {whole}, or 1.0"
        )
    return tuple(map(int, found))


def as_list(value: object) -> Sequence[int]:
    """Return the values of a design variable, which is a plain value where there is one gene."""
    return value if isinstance(value, list) else [value]  # type: ignore[list-item]


@dataclass(frozen=True)
class Sizes:
    """The sizes that genotypes choose.

    Attributes:
        width: of the tokens ``(n,)``.
        present: which layers there are ``(n, layers)``.
        groups, units: of each layer ``(n, layers)``, 0 where absent.
    """

    width: Counts
    present: NDArray[np.bool_]
    groups: Counts
    units: Counts

    @classmethod
    def of(cls, shape: Shape, space: SearchSpace, genotypes: Genotypes) -> Sizes:
        """Read genotypes ``(n, G)``."""
        chosen: dict[str, Counts] = {}
        start = 0
        for variable in space.variables:
            options = np.array(variable.choices)
            chosen[variable.name] = options[genotypes[:, start : start + variable.length]]
            start += variable.length
        n, count = len(genotypes), shape.config.layers
        present = np.ones((n, count), dtype=bool)
        if "layers" in chosen:
            present[:, shape.order] = np.arange(count) < chosen["layers"]
        if "keep" in chosen:
            present[:, shape.skipped] = chosen["keep"] == 1
        whole = np.ones((n, count), dtype=np.int64)
        width = chosen["width"][:, 0] if "width" in chosen else np.full(n, shape.config.width)
        groups = chosen.get("groups", shape.config.groups * whole) * present
        units = chosen.get("feed", shape.config.units * whole) * present
        return cls(width, present, groups, units)


def count_params(config: Config, sizes: Sizes) -> Counts:
    """Return the parameters ``(n,)`` without the embedding table."""
    width, attends = sizes.width, (sizes.groups > 0).sum(axis=1)
    shared, normed = 2 * config.head_size, 2 if config.family.gemma else 1
    queries = config.per_group * config.head_size
    channels = sizes.groups.sum(axis=1)
    attention = channels * (2 * queries + shared) * width + attends * normed * width
    attention += channels * (queries + shared) * config.query_bias + attends * width * config.out_bias
    attention += attends * 2 * config.head_size * config.family.query_norm
    units, depth = sizes.units.sum(axis=1), sizes.present.sum(axis=1)
    feed = 3 * units * width + depth * normed * width + (2 * units + depth * width) * config.feed_bias
    head = 0 if config.tied else config.vocabulary * width
    return np.asarray(attention + feed + width + head)


def count_macs(config: Config, sizes: Sizes, tokens: int) -> Counts:
    """Return the multiply-accumulates ``(n,)`` for one text: linear layers, attention's products and the output layer.

    Attention's products count in full, without regard to what is hidden. Neither norms nor softmax count.
    """
    queries = config.per_group * config.head_size
    groups, units = sizes.groups.sum(axis=1), sizes.units.sum(axis=1)
    linear = groups * (2 * queries + 2 * config.head_size) + 3 * units + config.vocabulary
    return np.asarray(tokens * linear * sizes.width + 2 * tokens**2 * queries * groups)


def count_remembered(config: Config, sizes: Sizes, tokens: int) -> Counts:
    """Return the numbers ``(n,)`` that keys and values of one text take; local layers keep those in reach only."""
    reach = np.array([tokens if window is None else min(tokens, window) for window in config.windows])
    return np.asarray(2 * config.head_size * (sizes.groups * reach).sum(axis=1))
