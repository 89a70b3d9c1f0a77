"""What is elastic in a supernet made from a trained ResNet, and what its sub-networks cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.core.design import DesignVariable, Gate
from dynas.core.space import Architecture, Genotypes, SearchSpace
from dynas.errors import DynasError
from dynas.supernets.images import image_sizes
from dynas.supernets.layers import make_divisible
from dynas.supernets.resnets.plain import Layout, Strides


@dataclass(frozen=True)
class Shape:
    """The trained network and the options of its sub-networks.

    Attributes:
        network: the trained network.
        strides: its strides.
        resolution: input height and width in pixels.
        heights: image heights to choose from; none: ``resolution`` alone.
        depths: blocks of a stage beyond its least; the last option keeps all, and one block always stays.
        widths: multipliers of the channels of the stem and of each stage; the last is 1.
        expansions: channels of the 3x3 convolution as a share of the block's output channels; the last is the
            network's own.
        divisor: smaller channel counts are rounded to multiples of it.
    """

    network: Layout
    strides: Strides
    resolution: tuple[int, int]
    heights: tuple[int, ...]
    depths: tuple[int, ...]
    widths: tuple[float, ...]
    expansions: tuple[float, ...]
    divisor: int

    @property
    def channels(self) -> int:
        """Input channels."""
        return self.network.channels

    @property
    def resolutions(self) -> tuple[tuple[int, int], ...]:
        """Heights and widths of the images to choose from, all of one aspect; one where nothing is to choose."""
        return image_sizes(self.resolution, self.heights)

    @property
    def blocks(self) -> tuple[int, ...]:
        """Number of blocks of each stage."""
        return tuple(map(len, self.network.middles))

    def kept(self, stage: int, depth: int) -> int:
        """Return the number of blocks that a stage keeps; the last ones are skipped."""
        return max(1, self.blocks[stage] - (self.depths[-1] - depth))

    def scaled(self, channels: int) -> tuple[int, ...]:
        """Return the channel counts that the widths make of ``channels``."""
        smaller = (min(channels, make_divisible(channels * width, self.divisor)) for width in self.widths[:-1])
        return (*smaller, channels)

    def middles(self, stage: int, block: int) -> tuple[tuple[int, ...], ...]:
        """Return the channels of a block's 3x3 convolution, by width of the stage and by expansion."""
        full = self.network.middles[stage][block]
        counts = [
            [min(full, make_divisible(round(outputs * ratio), self.divisor)) for ratio in self.expansions]
            for outputs in self.scaled(self.network.outputs[stage])
        ]
        counts[-1][-1] = full
        return tuple(map(tuple, counts))

    def subnet(self, architecture: Architecture) -> Layout:
        """Return the layout of a sub-network."""
        stem, *widths = (self.widths.index(width) for width in architecture["w"])
        ratios = iter(self.expansions.index(ratio) for ratio in architecture["e"])
        middles = []
        for stage, (width, depth) in enumerate(zip(widths, _listed(architecture["d"]), strict=True)):
            counts = [self.middles(stage, block)[width][next(ratios)] for block in range(self.blocks[stage])]
            middles.append(tuple(counts[: self.kept(stage, depth)]))
        outputs = (self.scaled(full)[width] for full, width in zip(self.network.outputs, widths, strict=True))
        return replace(
            self.network, stem=self.scaled(self.network.stem)[stem], outputs=tuple(outputs), middles=tuple(middles)
        )


def _listed(value: int | list[int]) -> list[int]:
    """Return the genes of a variable, which an architecture holds as a plain value where there is one."""
    return value if isinstance(value, list) else [value]


def search_space(shape: Shape) -> SearchSpace:
    """Return depths per stage, expansions per block, and widths of the stem and of each stage.

    Of a ResNet50 with the paper's options there are ``3**5 * (3 * 2**2) * (3 * 2**3) * (3 * 2**5) * (3 * 2**2)`` =
    80,621,568 distinct sub-networks: three widths in five places, and in a stage of ``b`` blocks ``2**b`` settings of
    the expansions with all blocks or ``2**(b-1)`` without the last.
    """
    top = shape.depths[-1]
    gates = tuple(
        Gate("d", stage, top - (blocks - 1 - position)) if 0 < position >= blocks - (top - shape.depths[0]) else None
        for stage, blocks in enumerate(shape.blocks)
        for position in range(blocks)
    )
    variables = [
        DesignVariable("d", shape.depths, len(shape.blocks), aliases=_same_depths(shape)),
        DesignVariable("e", shape.expansions, len(gates), gates),
        DesignVariable("w", shape.widths, 1 + len(shape.blocks)),
    ]
    if shape.heights:
        variables.append(DesignVariable("r", shape.heights))
    return SearchSpace(variables)


def _same_depths(shape: Shape) -> dict[int, dict[int, int]]:
    """Return, per stage, the depths that keep no more blocks than an earlier one since one block always stays."""
    return {
        stage: same
        for stage in range(len(shape.blocks))
        if (
            same := {
                depth: shape.depths[0]
                for depth in shape.depths[1:]
                if shape.kept(stage, depth) == shape.kept(stage, shape.depths[0])
            }
        )
    }


class Costs:
    """Exact MACs and parameters of any number of sub-networks at once.

    MACs are multiply-accumulates of convolutions and the linear layer for one image; batch norm, pooling and
    activations are not counted.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        stages = range(len(shape.blocks))
        self._stage = np.array([stage for stage in stages for _ in range(shape.blocks[stage])])
        self._position = np.array([position for count in shape.blocks for position in range(count)])
        self._first = self._position == 0
        # channels: of the stem and each stage (1 + S, widths), of the blocks' middles (B, widths, expansions)
        self._outputs = np.array([shape.scaled(full) for full in (shape.network.stem, *shape.network.outputs)])
        self._middles = np.array(
            [shape.middles(stage, block) for stage, block in zip(self._stage, self._position, strict=True)]
        )
        self._kept = np.array([[shape.kept(stage, depth) for depth in shape.depths] for stage in stages])

    @cached_property
    def _pixels(self) -> NDArray[np.int64]:
        """Pixels after the first convolution, before the first stage and after each, per image size: ``(R, 2 + S)``."""
        rows = []
        for height, width in self.shape.resolutions:
            pixels = []
            for stride in (self.shape.strides.stem, 1 + self.shape.strides.pooling, *self.shape.strides.stages):
                height, width = -(-height // stride), -(-width // stride)
                pixels.append(height * width)
            rows.append(pixels)
        return np.array(rows)

    def _parts(self, genotypes: Genotypes) -> tuple[NDArray[Any], ...]:
        """Return image size ``(n,)``, channels ``(n, 1 + S)`` and middles, inputs, outputs and kept ``(n, B)``."""
        ends = np.cumsum([len(self.shape.blocks), len(self._stage), 1 + len(self.shape.blocks)])
        depths, ratios, widths, rest = np.split(genotypes, ends, axis=1)
        channels = self._outputs[np.arange(widths.shape[1]), widths]
        middles = self._middles[np.arange(len(self._stage)), widths[:, 1 + self._stage], ratios]
        kept = self._position < self._kept[np.arange(depths.shape[1]), depths][:, self._stage]
        index = rest[:, 0] if self.shape.heights else np.zeros(len(genotypes), dtype=np.int64)
        inputs, outputs = channels[:, self._stage + ~self._first], channels[:, 1 + self._stage]
        return index, channels, middles, inputs, outputs, kept

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the multiply-accumulates for one image of canonical genotypes ``(n, G)``: ``(n,)``."""
        size, channels, middles, inputs, outputs, kept = self._parts(genotypes)
        network, pixels = self.shape.network, self._pixels[size]
        before, after = pixels[:, 1 + self._stage + ~self._first], pixels[:, 2 + self._stage]
        full = inputs * middles
        strided = 9 * middles**2 + middles * outputs + self._first * inputs * outputs
        stem = pixels[:, 0] * network.kernel**2 * network.channels * channels[:, 0]
        blocks = ((before * full + after * strided) * kept).sum(axis=1)
        return np.asarray(stem + blocks + channels[:, -1] * network.classes)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the parameters of canonical genotypes ``(n, G)``: ``(n,)``."""
        _, channels, middles, inputs, outputs, kept = self._parts(genotypes)
        network = self.shape.network
        weights = inputs * middles + 9 * middles**2 + middles * outputs + self._first * inputs * outputs
        norms = 2 * (2 * middles + outputs + self._first * outputs)
        stem = (network.kernel**2 * network.channels + 2) * channels[:, 0]
        return np.asarray(stem + ((weights + norms) * kept).sum(axis=1) + (channels[:, -1] + 1) * network.classes)


def check_options(shape: Shape) -> None:
    """Raise DynasError where the options make no sense for the network, or two of them are the same channels."""
    name = "supernet bootstrap_resnet50"
    depths, widths, ratios = shape.depths, shape.widths, shape.expansions
    ascending = all(options and all(a < b for a, b in pairwise(options)) for options in (depths, widths, ratios))
    if not ascending or depths[0] < 0 or widths[0] <= 0 or ratios[0] <= 0 or widths[-1] != 1:
        raise DynasError(
            f"{name} needs ascending options such as depths=[0,1], widths=[0.65,0.8,1.0], the last being 1, and "
            f"expansions=[0.2,0.25], got depths={list(depths)} widths={list(widths)} expansions={list(ratios)}"
        )
    for outputs, middles in zip(shape.network.outputs, shape.network.middles, strict=True):
        for middle in middles:
            if abs(middle - outputs * ratios[-1]) >= 1:
                raise DynasError(
                    f"{name} has a block of {middle} channels between {outputs}: the last of supernet.expansions must "
                    f"be the network's own, {round(middle / outputs, 4)} here, got {list(ratios)}"
                )
    counts = [shape.scaled(full) for full in (shape.network.stem, *shape.network.outputs)]
    counts += [
        row
        for stage, blocks in enumerate(shape.blocks)
        for block in range(blocks)
        for row in shape.middles(stage, block)
    ]
    if any(len(set(options)) < len(options) for options in counts):
        raise DynasError(
            f"{name} has options with the same channels at divisor={shape.divisor}: give a smaller supernet.divisor, "
            "fewer supernet.widths or fewer supernet.expansions"
        )
