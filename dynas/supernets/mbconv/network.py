"""Inverted residual blocks (Sandler et al. 2018, arXiv:1801.04381) with elastic kernel sizes, ratios and depths.

Networks of them as in Once-for-All (Cai et al. 2020, arXiv:1908.09791): a stem, a fixed first block, searchable
blocks in stages, and a head. Parameter names are those of the public checkpoints.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from copy import deepcopy

from torch import Tensor, nn

from dynas.core.space import Architecture
from dynas.supernets.layers import (
    ACTIVATIONS,
    Classifier,
    ElasticDepthNorm,
    ElasticPointNorm,
    conv_bn,
)
from dynas.supernets.mbconv.shape import KERNELS, RATIOS, BlockShape, Family, Shape, block_shapes


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


def fixed_layers(shape: Shape) -> dict[str, nn.Module]:
    """Return what all sub-networks share, by name: stem, first block, head and classifier."""
    family, features = shape.family, shape.stages[-1]
    layers: dict[str, nn.Module] = {}
    layers["first_conv"] = conv_bn(shape.channels, shape.stem, 3, shape.stem_stride, act=family.stem_act)
    path: OrderedDict[str, nn.Module] = OrderedDict(
        depth_conv=conv_bn(shape.stem, shape.stem, 3, groups=shape.stem, act=family.first_act),
        point_linear=conv_bn(shape.stem, shape.first, 1),
    )
    layers["first_block"] = Residual(nn.Sequential(path), family.first_shortcut)
    for layer, outputs in zip(family.head, shape.head, strict=True):
        conv = conv_bn(features, outputs, 1, act=family.stem_act)
        if layer.pooled:
            del conv.bn
        layers[layer.name], features = conv, outputs
    layers["classifier"] = Classifier(features, shape.classes)
    return layers


class MBConvNet(nn.Module):
    """The frame shared by a supernet and its sub-networks: stem, blocks, head.

    Args:
        family: the kind of network.
        fixed: its `fixed_layers`.
        blocks: the blocks after the first.
        resolution: height and width of the images that it takes.
    """

    def __init__(
        self,
        family: Family,
        fixed: Mapping[str, nn.Module],
        blocks: Iterable[nn.Module],
        resolution: tuple[int, int],
    ) -> None:
        super().__init__()
        self.family, self.resolution = family, resolution
        self.first_conv = fixed["first_conv"]
        self.blocks = nn.ModuleList([fixed["first_block"], *blocks])
        for layer in family.head:
            self.add_module(layer.name, fixed[layer.name])
        self.classifier = fixed["classifier"]
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = family.eps

    def head(self, x: Tensor) -> Tensor:
        """Map the last block's output ``(N, C, H, W)`` to logits ``(N, classes)``."""
        for layer in self.family.head:
            if layer.pooled:
                x = x.mean((2, 3), keepdim=True)
            x = self.get_submodule(layer.name)(x)
        logits: Tensor = self.classifier(x.mean((2, 3)))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, channels, H, W)`` to logits ``(N, classes)``."""
        x = self.first_conv(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class ElasticMBConvNet(MBConvNet):
    """All sub-networks in one set of weights."""

    def __init__(self, shape: Shape) -> None:
        blocks = [ElasticBlock(block) for block in block_shapes(shape)]
        super().__init__(shape.family, fixed_layers(shape), blocks, shape.resolutions[-1])
        self._resolutions = dict(zip(shape.heights, shape.resolutions, strict=False))

    def image_size(self, architecture: Architecture) -> tuple[int, int]:
        """Return height and width of the images that a sub-network takes."""
        return self._resolutions[architecture["r"]] if self._resolutions else self.resolution

    def active_blocks(self, architecture: Architecture) -> list[tuple[ElasticBlock, int, int]]:
        """Return the blocks that an architecture keeps, each with its kernel size and expansion ratio."""
        kept = []
        options = zip(self.blocks[1:], architecture["ks"], architecture["e"], strict=True)
        for block, kernel, ratio in options:
            assert isinstance(block, ElasticBlock)
            if block.shape.position < architecture["d"][block.shape.stage]:
                kept.append((block, kernel, ratio))
        return kept

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:  # type: ignore[override]
        """Run the active path of one architecture: images ``(N, channels, H, W)`` to logits."""
        x = self.blocks[0](self.first_conv(x))
        for block, kernel, ratio in self.active_blocks(architecture):
            x = block(x, kernel, ratio)
        return self.head(x)

    def static(self, architecture: Architecture) -> MBConvNet:
        """Return a stand-alone network with copies of the active weights, in eval mode."""
        blocks = [block.static(kernel, ratio) for block, kernel, ratio in self.active_blocks(architecture)]
        fixed = {name: deepcopy(layer) for name, layer in self.named_children() if name != "blocks"}
        fixed["first_block"] = deepcopy(self.blocks[0])
        return MBConvNet(self.family, fixed, blocks, self.image_size(architecture)).eval()
