"""The shapes of an elastic ResNet50, and what its sub-networks cost: exact MACs and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from dynas.core.space import Genotypes
from dynas.supernets.images import image_sizes
from dynas.supernets.layers import make_divisible

DEPTHS = (0, 1, 2)  # blocks beyond the least of a stage; the stem has its middle convolution only at the last
RATIOS = (0.2, 0.25, 0.35)
WIDTHS = (0.65, 0.8, 1.0)
STEM_CHANNELS = 64
STAGE_CHANNELS = (256, 512, 1024, 2048)
LEAST_BLOCKS = (2, 2, 4, 2)
STAGE_BLOCKS = tuple(least + max(DEPTHS) for least in LEAST_BLOCKS)
BLOCK_STAGE = tuple(stage for stage, blocks in enumerate(STAGE_BLOCKS) for _ in range(blocks))
BLOCK_POSITION = tuple(position for blocks in STAGE_BLOCKS for position in range(blocks))


@dataclass(frozen=True)
class Shape:
    """The fixed part of the network.

    Attributes:
        width: multiplier of every channel count, before the elastic ones.
        resolution: input height and width in pixels.
        channels: input channels.
        classes: number of classes.
        stem_stride: stride of the first convolution; a max-pooling of stride 2 follows the stem.
        strides: stride of the first block of each of the four stages.
        divisor: channel counts are rounded to multiples of it.
        heights: image heights to choose from; none: ``resolution`` alone.
    """

    width: float = 1.0
    resolution: tuple[int, int] = (224, 224)
    channels: int = 3
    classes: int = 1000
    stem_stride: int = 2
    strides: tuple[int, ...] = (1, 2, 2, 2)
    divisor: int = 8
    heights: tuple[int, ...] = ()

    def options(self, channels: int) -> tuple[int, ...]:
        """Return the channel counts that the elastic widths make of ``channels``."""
        return tuple(make_divisible(channels * self.width * width, self.divisor) for width in WIDTHS)

    @property
    def stem(self) -> tuple[int, ...]:
        """Channels that leave the stem, per elastic width."""
        return self.options(STEM_CHANNELS)

    @property
    def stem_middle(self) -> tuple[int, ...]:
        """Channels within the stem, per elastic width; two of the public network's three are the same."""
        return tuple(make_divisible(channels // 2, self.divisor) for channels in self.stem)

    @property
    def stages(self) -> tuple[tuple[int, ...], ...]:
        """Channels of the four stages, per elastic width."""
        return tuple(self.options(channels) for channels in STAGE_CHANNELS)

    @property
    def resolutions(self) -> tuple[tuple[int, int], ...]:
        """Heights and widths of the images to choose from, all of one aspect; one where nothing is to choose."""
        return image_sizes(self.resolution, self.heights)

    def middle(self, outputs: int, ratio: float) -> int:
        """Return the channels of the 3x3 convolution of a block with ``outputs`` channels."""
        return make_divisible(round(outputs * ratio), self.divisor)


@dataclass(frozen=True)
class BlockShape:
    """One bottleneck block: its channel counts per elastic width, and its stride."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    stride: int
    first: bool  # of its stage: the shortcut is then a strided projection


def block_shapes(shape: Shape) -> list[BlockShape]:
    """Return the 18 blocks in network order."""
    blocks, inputs = [], shape.stem
    for stage, position in zip(BLOCK_STAGE, BLOCK_POSITION, strict=True):
        outputs = shape.stages[stage]
        stride = shape.strides[stage] if position == 0 else 1
        blocks.append(BlockShape(inputs, outputs, stride, position == 0))
        inputs = outputs
    return blocks


def sizes_after(shape: Shape, resolution: tuple[int, int]) -> list[tuple[int, int]]:
    """Return height and width after the stem, the max-pooling and each stage for images of a resolution."""
    height, width = resolution
    sizes = []
    for stride in (shape.stem_stride, 2, *shape.strides):
        height, width = -(-height // stride), -(-width // stride)
        sizes.append((height, width))
    return sizes


Number = TypeVar("Number", np.int64, np.float64)


class Costs(NamedTuple, Generic[Number]):
    """One cost of every part, by the options that it depends on.

    ``stem`` (resolutions, widths within, widths out, depths), ``blocks`` (resolutions, 18, widths in, widths out,
    ratios) and ``head`` (resolutions, widths in).
    """

    stem: NDArray[Number]
    blocks: NDArray[Number]
    head: NDArray[Number]

    def total(self, genotypes: Genotypes) -> NDArray[Number]:
        """Sum over the active parts of genotypes ``(n, G)``: ``(n,)``."""
        stage, position = np.array(BLOCK_STAGE), np.array(BLOCK_POSITION)
        n_depths = 1 + len(STAGE_BLOCKS)
        ends = np.cumsum([n_depths, len(stage), 2 + len(STAGE_BLOCKS)])
        depths, ratios, widths, rest = np.split(genotypes, ends, axis=1)
        size = rest[:, :1] if len(self.head) > 1 else np.zeros((len(genotypes), 1), dtype=np.int64)  # one: no choice
        entering = widths[:, 1 + stage + (position > 0)]
        cost = self.blocks[size, np.arange(len(stage)), entering, widths[:, 2 + stage], ratios]
        kept = position < np.array(LEAST_BLOCKS)[stage] + np.array(DEPTHS)[depths[:, 1 + stage]]
        stem = self.stem[size[:, 0], widths[:, 0], widths[:, 1], depths[:, 0]]
        return np.asarray(stem + (cost * kept).sum(axis=1) + self.head[size[:, 0], widths[:, -1]])


def cost_tables(shape: Shape) -> tuple[Costs[np.int64], Costs[np.int64]]:
    """Return MACs and parameters of every part.

    MACs are multiply-accumulates of convolutions and linear layers for one image; batch norm, pooling and
    activations are not counted.
    """
    macs, params = zip(*(costs_at(shape, resolution) for resolution in shape.resolutions), strict=True)
    return Costs(*map(np.stack, zip(*macs, strict=True))), Costs(*map(np.stack, zip(*params, strict=True)))


def costs_at(shape: Shape, resolution: tuple[int, int]) -> tuple[Costs[np.int64], Costs[np.int64]]:
    """Return MACs and parameters of every part at one resolution, without the axis of resolutions."""
    stem_pixels, *pixels = (height * width for height, width in sizes_after(shape, resolution))
    macs, params = (
        Costs(np.zeros((3, 3, 3), np.int64), np.zeros((len(BLOCK_STAGE), 3, 3, 3), np.int64), np.zeros(3, np.int64))
        for _ in range(2)
    )
    for m, middle in enumerate(shape.stem_middle):
        for o, outputs in enumerate(shape.stem):
            for d, depth in enumerate(DEPTHS):
                deep = depth == max(DEPTHS)
                weights = 9 * middle * (shape.channels + outputs + middle * deep)
                macs.stem[m, o, d] = stem_pixels * weights
                params.stem[m, o, d] = weights + 2 * (middle + outputs + middle * deep)
    for index, block in enumerate(block_shapes(shape)):
        before, after = pixels[BLOCK_STAGE[index] + (not block.first)], pixels[BLOCK_STAGE[index] + 1]
        for i, inputs in enumerate(block.inputs):
            for o, outputs in enumerate(block.outputs):
                project, norm = (inputs * outputs, 2 * outputs) if block.first else (0, 0)
                for r, ratio in enumerate(RATIOS):
                    middle = shape.middle(outputs, ratio)
                    reduce, spatial, expand = inputs * middle, 9 * middle**2, middle * outputs
                    macs.blocks[index, i, o, r] = before * reduce + after * (spatial + expand + project)
                    norms = 2 * (2 * middle + outputs) + norm
                    params.blocks[index, i, o, r] = reduce + spatial + expand + project + norms
    macs.head[:] = np.array(shape.stages[-1]) * shape.classes
    params.head[:] = macs.head + shape.classes
    return macs, params
