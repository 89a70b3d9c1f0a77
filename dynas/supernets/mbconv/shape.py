"""The shapes of networks of inverted residual blocks, and what they cost: exact MACs and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dynas.core.design import DesignVariable, depth_gates
from dynas.core.space import Genotypes, SearchSpace
from dynas.supernets.images import image_sizes
from dynas.supernets.layers import make_divisible, squeezed

KERNELS = (3, 5, 7)
RATIOS = (3, 4, 6)
DEPTHS = (2, 3, 4)
Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True)
class Stage:
    """A row of searchable blocks that share their width and kind: ``DEPTHS`` of them, or always just one."""

    channels: int
    act: str
    se: bool = False
    elastic: bool = True

    @property
    def blocks(self) -> int:
        """Number of blocks at most."""
        return max(DEPTHS) if self.elastic else 1


@dataclass(frozen=True)
class HeadConv:
    """A 1x1 convolution between the last block and the classifier: with batch norm, or without it after pooling."""

    name: str
    channels: int
    pooled: bool = False


@dataclass(frozen=True)
class Family:
    """What tells one kind of network from another; channels are those of width 1.

    Attributes:
        stem, stem_act: first convolution, whose activation the head shares.
        first, first_act: first block, a depthwise convolution and a projection.
        first_shortcut: whether the first block adds its input to its output.
        stages: the searchable blocks; stages of a single block come last.
        head: the convolutions before the classifier; those after pooling come last.
        eps: what batch norms add to the variance.
    """

    stem: int
    stem_act: str
    first: int
    first_act: str
    first_shortcut: bool
    stages: tuple[Stage, ...]
    head: tuple[HeadConv, ...]
    eps: float

    @property
    def elastic_stages(self) -> int:
        """Number of stages with a depth to choose."""
        return sum(stage.elastic for stage in self.stages)


@dataclass(frozen=True)
class Shape:
    """The fixed part of the network.

    Attributes:
        family: the kind of network.
        width: multiplier of every channel count.
        resolution: input height and width in pixels.
        channels: input channels.
        classes: number of classes.
        stem_stride: stride of the first convolution.
        strides: stride of the first block of each stage.
        heights: image heights to choose from; none: ``resolution`` alone.
    """

    family: Family
    width: float
    resolution: tuple[int, int]
    channels: int
    classes: int
    stem_stride: int
    strides: tuple[int, ...]
    heights: tuple[int, ...] = ()

    def wide(self, channels: int) -> int:
        """Return channels at this width."""
        return make_divisible(channels * self.width)

    @property
    def stem(self) -> int:
        """Channels of the first convolution."""
        return self.wide(self.family.stem)

    @property
    def first(self) -> int:
        """Channels that leave the first block."""
        return self.wide(self.family.first)

    @property
    def stages(self) -> tuple[int, ...]:
        """Channels of the stages."""
        return tuple(self.wide(stage.channels) for stage in self.family.stages)

    @property
    def head(self) -> tuple[int, ...]:
        """Channels of the convolutions before the classifier."""
        return tuple(self.wide(layer.channels) for layer in self.family.head)

    @property
    def resolutions(self) -> tuple[tuple[int, int], ...]:
        """Heights and widths of the images to choose from, all of one aspect; one where nothing is to choose."""
        return image_sizes(self.resolution, self.heights)


@dataclass(frozen=True)
class BlockShape:
    """One searchable block: its place, widths, stride and kind."""

    stage: int
    position: int
    inputs: int
    outputs: int
    stride: int
    act: str
    se: bool

    def middle(self, ratio: int) -> int:
        """Return the channels between the two 1x1 convolutions at an expansion ratio."""
        return make_divisible(self.inputs * ratio)

    @property
    def residual(self) -> bool:
        """Whether the block adds its input to its output."""
        return self.stride == 1 and self.inputs == self.outputs


def block_shapes(shape: Shape) -> list[BlockShape]:
    """Return the searchable blocks in network order."""
    blocks, inputs = [], shape.first
    for index, (stage, outputs) in enumerate(zip(shape.family.stages, shape.stages, strict=True)):
        for position in range(stage.blocks):
            stride = shape.strides[index] if position == 0 else 1
            blocks.append(BlockShape(index, position, inputs, outputs, stride, stage.act, stage.se))
            inputs = outputs
    return blocks


def sizes_after(shape: Shape, resolution: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the output height and width of the stem and of each stage for images of a resolution."""
    sizes = [resolution]
    for stride in (shape.stem_stride, *shape.strides):
        height, width = sizes[-1]
        sizes.append((-(-height // stride), -(-width // stride)))
    return sizes[1:]


def search_space(family: Family, heights: Sequence[int] = ()) -> SearchSpace:
    """Return kernel sizes and expansion ratios of all blocks, depths of the stages, and image heights if any.

    Blocks beyond the depth are inactive. ``d`` ends with a 1 for every stage of a single block, as in
    Once-for-All.
    """
    blocks = sum(stage.blocks for stage in family.stages)
    elastic, single = family.elastic_stages, len(family.stages) - family.elastic_stages
    gates = (*depth_gates("d", [max(DEPTHS)] * elastic), *[None] * single)
    variables = [
        DesignVariable("ks", KERNELS, blocks, gates),
        DesignVariable("e", RATIOS, blocks, gates),
        DesignVariable("d", DEPTHS, elastic, constants=(1,) * single),
    ]
    if heights:
        variables.append(DesignVariable("r", tuple(heights)))
    return SearchSpace(variables)


def block_costs(block: BlockShape, kernel: int, ratio: int) -> tuple[int, int, int, int]:
    """Return weights of the first convolution, of the other two, of the squeeze-and-excitation, and all else."""
    middle = block.middle(ratio)
    hidden = squeezed(middle) if block.se else 0
    biases = hidden + middle if block.se else 0
    norms = 2 * (2 * middle + block.outputs)
    rest = middle * kernel**2 + middle * block.outputs
    return middle * block.inputs, rest, 2 * middle * hidden, norms + biases


def fixed_costs(shape: Shape, pixels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return MACs and parameters ``(resolutions,)`` of stem, first block, head and classifier.

    Args:
        shape: the network.
        pixels: ``(resolutions, stem and stages)`` pixels that leave the stem and the stages.
    """
    start = 9 * shape.channels * shape.stem + 9 * shape.stem + shape.stem * shape.first
    norms = 2 * (2 * shape.stem + shape.first)
    features = shape.stages[-1]
    macs = pixels[:, 0] * start
    params = start
    for layer, outputs in zip(shape.family.head, shape.head, strict=True):
        macs = macs + features * outputs * (1 if layer.pooled else pixels[:, -1])
        params += features * outputs
        norms += 0 if layer.pooled else 2 * outputs
        features = outputs
    macs = macs + features * shape.classes
    params += norms + features * shape.classes + shape.classes
    return macs, np.full_like(macs, params)


class CostTable:
    """MACs and parameters of every block option, so that a population costs one table lookup.

    MACs are multiply-accumulates of convolutions and linear layers for one image; batch norm, pooling and
    activations are not counted.

    Attributes:
        macs, params: of the block options, ``(resolutions, blocks, kernel sizes, ratios)``.
        fixed_macs, fixed_params: of all else, ``(resolutions,)``.
    """

    def __init__(self, shape: Shape) -> None:
        blocks = block_shapes(shape)
        self._stages = np.array([block.stage for block in blocks])
        self._positions = np.array([block.position for block in blocks])
        self._elastic, self._single = shape.family.elastic_stages, len(shape.strides) - shape.family.elastic_stages
        sizes = np.array([sizes_after(shape, resolution) for resolution in shape.resolutions])
        pixels = sizes.prod(axis=2)  # (resolutions, stem and stages)
        before = [block.stage + (block.position > 0) for block in blocks]
        options = [[[block_costs(block, k, r) for r in RATIOS] for k in KERNELS] for block in blocks]
        expand, rest, excite, norms = np.moveaxis(np.array(options, dtype=np.int64), -1, 0)
        pixels_in, pixels_out = (pixels[:, index, None, None] for index in (before, self._stages + 1))
        self.macs = pixels_in * expand + pixels_out * rest + excite
        self.params = np.broadcast_to(expand + rest + excite + norms, self.macs.shape)
        self.fixed_macs, self.fixed_params = fixed_costs(shape, pixels)

    def total(self, table: NDArray[Number], fixed: NDArray[Number], genotypes: Genotypes) -> NDArray[Number]:
        """Sum a table over the active blocks of genotypes ``(n, G)``: ``(n,)``.

        Args:
            table: a number per block option, ``(resolutions, blocks, kernel sizes, ratios)``.
            fixed: what all sub-networks share, ``(resolutions,)``.
            genotypes: the sub-networks.
        """
        blocks = len(self._stages)
        kernels, ratios, depths, rest = np.split(genotypes, [blocks, 2 * blocks, 2 * blocks + self._elastic], axis=1)
        size = rest[:, :1] if len(fixed) > 1 else np.zeros((len(genotypes), 1), dtype=np.int64)  # one: no choice
        depth = np.pad(np.array(DEPTHS)[depths], ((0, 0), (0, self._single)), constant_values=1)
        kept = self._positions < depth[:, self._stages]
        cost = table[size, np.arange(blocks), kernels, ratios]
        return np.asarray(fixed[size[:, 0]] + (cost * kept).sum(axis=1))
