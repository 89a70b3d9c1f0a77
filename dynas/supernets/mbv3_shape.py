"""The shapes of MobileNetV3's blocks, and what they cost: exact MACs and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dynas.space import Genotypes
from dynas.supernets.layers import make_divisible, squeezed

KERNELS = (3, 5, 7)
RATIOS = (3, 4, 6)
DEPTHS = (2, 3, 4)
BLOCKS = 4  # per stage
STAGE_CHANNELS = (24, 40, 80, 112, 160)
STAGE_ACTS = ("relu", "relu", "h_swish", "h_swish", "h_swish")
STAGE_SE = (False, True, False, True, True)
Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True)
class Shape:
    """The fixed part of the network.

    Attributes:
        width: multiplier of every channel count.
        resolution: input height and width in pixels.
        channels: input channels.
        classes: number of classes.
        stem_stride: stride of the first convolution.
        strides: stride of the first block of each of the five stages.
    """

    width: float = 1.0
    resolution: tuple[int, int] = (224, 224)
    channels: int = 3
    classes: int = 1000
    stem_stride: int = 2
    strides: tuple[int, ...] = (2, 2, 2, 1, 2)

    @property
    def stem(self) -> int:
        """Channels of the first convolution and the first block."""
        return make_divisible(16 * self.width)

    @property
    def stages(self) -> tuple[int, ...]:
        """Channels of the five stages."""
        return tuple(make_divisible(channels * self.width) for channels in STAGE_CHANNELS)

    @property
    def expanded(self) -> int:
        """Channels of the last convolution before pooling."""
        return make_divisible(960 * self.width)

    @property
    def features(self) -> int:
        """Features that enter the classifier."""
        return make_divisible(1280 * self.width)


@dataclass(frozen=True)
class BlockShape:
    """One searchable block: its widths, stride and kind."""

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
    """Return the 20 searchable blocks in network order."""
    blocks, inputs = [], shape.stem
    for stage, outputs in enumerate(shape.stages):
        for position in range(BLOCKS):
            stride = shape.strides[stage] if position == 0 else 1
            blocks.append(BlockShape(inputs, outputs, stride, STAGE_ACTS[stage], STAGE_SE[stage]))
            inputs = outputs
    return blocks


def sizes_after(shape: Shape) -> list[tuple[int, int]]:
    """Return the output height and width of the stem and of each stage."""
    sizes = [shape.resolution]
    for stride in (shape.stem_stride, *shape.strides):
        height, width = sizes[-1]
        sizes.append((-(-height // stride), -(-width // stride)))
    return sizes[1:]


class CostTable:
    """MACs and parameters of every block option, so that a population costs one table lookup.

    MACs are multiply-accumulates of convolutions and linear layers for one image; batch norm, pooling and
    activations are not counted.
    """

    def __init__(self, shape: Shape) -> None:
        stem_pixels, *stage_pixels = (height * width for height, width in sizes_after(shape))
        blocks = block_shapes(shape)
        self.macs = np.zeros((len(blocks), len(KERNELS), len(RATIOS)), dtype=np.int64)
        self.params = np.zeros_like(self.macs)
        pixels_in = stem_pixels
        for index, block in enumerate(blocks):
            pixels_out = stage_pixels[index // BLOCKS]
            for k, kernel in enumerate(KERNELS):
                for r, ratio in enumerate(RATIOS):
                    middle = block.middle(ratio)
                    hidden = squeezed(middle) if block.se else 0
                    expand, spatial, project = middle * block.inputs, middle * kernel**2, middle * block.outputs
                    self.macs[index, k, r] = pixels_in * expand + pixels_out * (spatial + project) + 2 * middle * hidden
                    norms = 2 * (2 * middle + block.outputs)
                    excite = 2 * middle * hidden + hidden + middle if block.se else 0
                    self.params[index, k, r] = expand + spatial + project + norms + excite
            pixels_in = pixels_out
        stem = 9 * shape.channels * shape.stem + 9 * shape.stem + shape.stem**2
        expanded = shape.stages[-1] * shape.expanded
        mixed, classified = shape.expanded * shape.features, shape.features * shape.classes
        self.fixed_macs = stem_pixels * stem + stage_pixels[-1] * expanded + mixed + classified
        fixed_norms = 2 * (3 * shape.stem + shape.expanded)
        self.fixed_params = stem + fixed_norms + expanded + mixed + classified + shape.classes

    @staticmethod
    def total(table: NDArray[Number], fixed: float, genotypes: Genotypes) -> NDArray[Number]:
        """Sum a table ``(blocks, kernel sizes, ratios)`` over the active blocks of genotypes ``(n, G)``: ``(n,)``."""
        blocks = len(table)
        kernels, ratios, depths = np.split(genotypes, [blocks, 2 * blocks], axis=1)
        cost = table[np.arange(blocks), kernels, ratios]
        kept = np.arange(blocks) % BLOCKS < np.repeat(np.array(DEPTHS)[depths], BLOCKS, axis=1)
        return np.asarray(fixed + (cost * kept).sum(axis=1))
