"""MobileNetV3 as a Once-for-All supernet: elastic kernel sizes, expansion ratios and depths.

Howard et al. 2019 (arXiv:1905.02244) made elastic by Cai et al. 2020 (arXiv:1908.09791); the search space
is that of Cummings et al. 2022, Appendix D.2: 45 design variables and 7371^5 distinct sub-networks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.errors import DynasError
from dynas.hardware.lookup import LookupTable
from dynas.objectives import Values
from dynas.space import Architecture, DesignVariable, Genotypes, SearchSpace, depth_gates
from dynas.supernets.layers import (
    ACTIVATIONS,
    ElasticDepthNorm,
    ElasticPointNorm,
    conv_bn,
    copy_slice,
)
from dynas.supernets.mbv3_lookup import block_latencies
from dynas.supernets.mbv3_shape import (
    BLOCKS,
    DEPTHS,
    KERNELS,
    RATIOS,
    STAGE_CHANNELS,
    BlockShape,
    CostTable,
    Shape,
    block_shapes,
)
from dynas.supernets.public import mobilenet_v3
from dynas.supernets.weights import load_weights


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


class MobileNetV3Supernet:
    """The trained supernet that the search draws from (see `dynas.supernets.base.Supernet`).

    Args:
        weights: ``embedded``, ``ofa`` (the public checkpoint), ``random`` (untrained) or a path to a checkpoint.
        width, resolution, channels, classes, stem_stride, strides: see `dynas.supernets.mbv3_shape.Shape`.
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
        public = mobilenet_v3(width, channels, classes, stem_stride, strides)
        self.weights_digest = load_weights(self.elastic, weights, self.name, public)
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

    def lookup(self, table: LookupTable) -> Callable[[Genotypes], Values]:
        """Return the function from canonical genotypes ``(n, G)`` to summed latencies ``(n,)`` in milliseconds.

        Raises:
            DynasError: the table lacks a block of this network, at the table's width where it has one.
        """
        latencies, fixed = block_latencies(replace(self.shape, width=table.width or self.shape.width), table)
        # rounded to what is more than the noise of adding up
        return lambda genotypes: np.round(self._cost.total(latencies, fixed, genotypes), 9)
