"""MobileNetV3 as a Once-for-All supernet: elastic kernel sizes, expansion ratios and depths.

Howard et al. 2019 (arXiv:1905.02244) made elastic by Cai et al. 2020 (arXiv:1908.09791); the search space
is that of Cummings et al. 2022, Appendix D.2: 45 design variables and 7371^5 distinct sub-networks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.errors import DynasError
from dynas.space import Architecture, DesignVariable, Genotypes, SearchSpace, depth_gates
from dynas.supernets.layers import (
    ACTIVATIONS,
    ElasticDepthNorm,
    ElasticPointNorm,
    conv_bn,
    copy_slice,
    make_divisible,
    squeezed,
)
from dynas.supernets.weights import load_weights

KERNELS = (3, 5, 7)
RATIOS = (3, 4, 6)
DEPTHS = (2, 3, 4)
BLOCKS = 4  # per stage
STAGE_CHANNELS = (24, 40, 80, 112, 160)
STAGE_ACTS = ("relu", "relu", "h_swish", "h_swish", "h_swish")
STAGE_SE = (False, True, False, True, True)


def search_space() -> SearchSpace:
    """Return the 20 kernel sizes, 20 expansion ratios and 5 depths; blocks beyond the depth are inactive."""
    stages = len(STAGE_CHANNELS)
    gates = depth_gates("d", [BLOCKS] * stages)
    return SearchSpace(
        [
            DesignVariable("ks", KERNELS, stages * BLOCKS, gates),
            DesignVariable("e", RATIOS, stages * BLOCKS, gates),
            DesignVariable("d", DEPTHS, stages),
        ]
    )


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


class Residual(nn.Module):
    """A block with an optional identity shortcut."""

    def __init__(self, conv: nn.Module, shortcut: bool) -> None:
        super().__init__()
        self.conv = conv
        self.add_input = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C', H', W')``."""
        y: Tensor = self.conv(x)
        return x + y if self.add_input else y


class ElasticPath(nn.Module):
    """The three convolutions of a searchable block."""

    def __init__(self, shape: BlockShape) -> None:
        super().__init__()
        middle = shape.middle(max(RATIOS))
        self.inverted_bottleneck = ElasticPointNorm(shape.inputs, middle)
        self.depth_conv = ElasticDepthNorm(middle, KERNELS, shape.stride, shape.act, shape.se)
        self.point_linear = ElasticPointNorm(middle, shape.outputs)


class ElasticBlock(nn.Module):
    """Inverted residual block with elastic kernel size and expansion ratio."""

    def __init__(self, shape: BlockShape) -> None:
        super().__init__()
        self.shape = shape
        self.act = ACTIVATIONS[shape.act]()
        self.conv = ElasticPath(shape)

    def forward(self, x: Tensor, kernel: int, ratio: int) -> Tensor:
        """Run the active part on ``x`` ``(N, C, H, W)``."""
        y: Tensor = self.act(self.conv.inverted_bottleneck(x, self.shape.middle(ratio)))
        y = self.conv.depth_conv(y, kernel)
        y = self.conv.point_linear(y, self.shape.outputs)
        return x + y if self.shape.residual else y

    def static(self, kernel: int, ratio: int) -> Residual:
        """Return the active part as a stand-alone block with its own weights."""
        shape, middle = self.shape, self.shape.middle(ratio)
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            inverted_bottleneck=self.conv.inverted_bottleneck.static(shape.inputs, middle, shape.act),
            depth_conv=self.conv.depth_conv.static(middle, kernel),
            point_linear=self.conv.point_linear.static(middle, shape.outputs),
        )
        return Residual(nn.Sequential(layers), shape.residual)


class Classifier(nn.Module):
    """The last linear layer, named as in the public checkpoints."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map features ``(N, F)`` to logits ``(N, classes)``."""
        logits: Tensor = self.linear(x)
        return logits


class MobileNetV3(nn.Module):
    """The frame shared by the supernet and its sub-networks: stem, blocks, head."""

    def __init__(self, shape: Shape, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.first_conv = conv_bn(shape.channels, shape.stem, 3, shape.stem_stride, act="h_swish")
        first = nn.Sequential(
            OrderedDict(
                depth_conv=conv_bn(shape.stem, shape.stem, 3, groups=shape.stem, act="relu"),
                point_linear=conv_bn(shape.stem, shape.stem, 1),
            )
        )
        self.blocks = nn.ModuleList([Residual(first, True), *blocks])
        self.final_expand_layer = conv_bn(shape.stages[-1], shape.expanded, 1, act="h_swish")
        self.feature_mix_layer = nn.Sequential(
            OrderedDict(
                conv=nn.Conv2d(shape.expanded, shape.features, 1, bias=False),
                act=ACTIVATIONS["h_swish"](),
            )
        )
        self.classifier = Classifier(shape.features, shape.classes)

    def head(self, x: Tensor) -> Tensor:
        """Map the last block's output ``(N, C, H, W)`` to logits ``(N, classes)``."""
        x = self.final_expand_layer(x).mean((2, 3), keepdim=True)
        logits: Tensor = self.classifier(self.feature_mix_layer(x).flatten(1))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, channels, H, W)`` to logits ``(N, classes)``."""
        x = self.first_conv(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class ElasticMobileNetV3(MobileNetV3):
    """All sub-networks in one set of weights; state-dict keys and shapes are Once-for-All's."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape, [ElasticBlock(block) for block in block_shapes(shape)])
        self.shape = shape

    def active_blocks(self, architecture: Architecture) -> list[tuple[ElasticBlock, int, int]]:
        """Return the blocks that an architecture keeps, each with its kernel size and expansion ratio."""
        kept = []
        for index, block in enumerate(self.blocks[1:]):
            stage, position = divmod(index, BLOCKS)
            if position < architecture["d"][stage]:
                assert isinstance(block, ElasticBlock)
                kept.append((block, architecture["ks"][index], architecture["e"][index]))
        return kept

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:  # type: ignore[override]
        """Run the active path of one architecture: images ``(N, channels, H, W)`` to logits."""
        x = self.blocks[0](self.first_conv(x))
        for block, kernel, ratio in self.active_blocks(architecture):
            x = block(x, kernel, ratio)
        return self.head(x)

    def static(self, architecture: Architecture) -> MobileNetV3:
        """Return a stand-alone network with copies of the active weights, in eval mode."""
        blocks = [block.static(kernel, ratio) for block, kernel, ratio in self.active_blocks(architecture)]
        net = MobileNetV3(self.shape, blocks)
        for name in ("first_conv", "blocks.0", "final_expand_layer", "feature_mix_layer", "classifier"):
            copy_slice(net.get_submodule(name), self.get_submodule(name))
        return net.eval()


def pixels_after(shape: Shape) -> tuple[int, list[int]]:
    """Return the number of output pixels of the stem and of each stage."""

    def halve(size: tuple[int, int], stride: int) -> tuple[int, int]:
        return -(-size[0] // stride), -(-size[1] // stride)

    size = stem = halve(shape.resolution, shape.stem_stride)
    sizes = [size := halve(size, stride) for stride in shape.strides]
    return stem[0] * stem[1], [height * width for height, width in sizes]


class CostTable:
    """MACs and parameters of every block option, so that a population costs one table lookup.

    MACs are multiply-accumulates of convolutions and linear layers for one image; batch norm, pooling and
    activations are not counted.
    """

    def __init__(self, shape: Shape) -> None:
        stem_pixels, stage_pixels = pixels_after(shape)
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
    def total(table: NDArray[np.int64], fixed: int, genotypes: Genotypes) -> NDArray[np.int64]:
        """Sum a table over the active blocks of genotypes ``(n, G)``; returns ``(n,)``."""
        blocks = len(table)
        kernels, ratios, depths = np.split(genotypes, [blocks, 2 * blocks], axis=1)
        cost = table[np.arange(blocks), kernels, ratios]
        kept = np.arange(blocks) % BLOCKS < np.repeat(np.array(DEPTHS)[depths], BLOCKS, axis=1)
        return np.asarray(fixed + (cost * kept).sum(axis=1))


class MobileNetV3Supernet:
    """The trained supernet that the search draws from (see `dynas.supernets.base.Supernet`).

    Args:
        weights: ``embedded``, ``random`` (untrained, for training and tests) or a path to a checkpoint.
        width: multiplier of every channel count.
        resolution: input height and width in pixels.
        channels: input channels.
        classes: number of classes.
        stem_stride: stride of the first convolution.
        strides: stride of the first block of each of the five stages.
        seed: seed of the weights where ``weights=random``.

    Raises:
        DynasError: the weights cannot be read or do not fit, or the shape makes no sense.
    """

    name = "mbv3"

    def __init__(
        self,
        weights: str,
        width: float,
        resolution: Sequence[int],
        channels: int,
        classes: int,
        stem_stride: int,
        strides: Sequence[int],
        seed: int = 0,
    ) -> None:
        if len(resolution) != 2 or len(strides) != len(STAGE_CHANNELS):
            raise DynasError(
                f"supernet mbv3 needs resolution=[height,width] and {len(STAGE_CHANNELS)} strides, "
                f"got resolution={list(resolution)} strides={list(strides)}"
            )
        if min(width, channels, classes, stem_stride, *resolution, *strides) <= 0:
            raise DynasError(
                "supernet mbv3 needs positive numbers for width, resolution, channels, classes, stem_stride and strides"
            )
        self.shape = Shape(width, (resolution[0], resolution[1]), channels, classes, stem_stride, tuple(strides))
        self.space = search_space()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticMobileNetV3(self.shape)
        self.weights_digest = load_weights(self.elastic, weights, self.name)
        self.elastic.eval()
        self._cost = CostTable(self.shape)

    def subnet(self, architecture: Architecture) -> MobileNetV3:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        return self.elastic.static(architecture)

    def example_inputs(self, batch_size: int) -> tuple[Tensor, ...]:
        """Return one batch of seeded noise, shaped as the supernet's images."""
        noise = torch.Generator().manual_seed(0)
        return (torch.randn(batch_size, self.shape.channels, *self.shape.resolution, generator=noise),)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates for one image of each canonical genotype: ``(n,)``."""
        return self._cost.total(self._cost.macs, self._cost.fixed_macs, genotypes)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters of each canonical genotype's sub-network: ``(n,)``."""
        return self._cost.total(self._cost.params, self._cost.fixed_params, genotypes)
