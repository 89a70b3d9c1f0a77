"""ResNet50 as a stand-alone network, and the elastic one that its sub-networks are cut from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from dynas.core.space import Architecture
from dynas.supernets.resnets.layers import Classifier, ElasticConvNorm, ElasticLinear
from dynas.supernets.resnets.ofa_blocks import ElasticBottleneck, ElasticResidual
from dynas.supernets.resnets.ofa_shape import (
    BLOCK_POSITION,
    BLOCK_STAGE,
    DEPTHS,
    LEAST_BLOCKS,
    RATIOS,
    Shape,
    block_shapes,
)


class ResNet50(nn.Module):
    """A stand-alone sub-network: stem, blocks, classifier; ``resolution`` is the images' height and width."""

    def __init__(
        self,
        input_stem: Sequence[nn.Module],
        blocks: Sequence[nn.Module],
        linear: nn.Module,
        resolution: tuple[int, int],
    ) -> None:
        super().__init__()
        self.resolution = resolution
        self.input_stem = nn.ModuleList(input_stem)
        self.blocks = nn.ModuleList(blocks)
        self.classifier = Classifier(linear)
        self.max_pooling = nn.MaxPool2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, channels, H, W)`` to logits ``(N, classes)``."""
        for layer in self.input_stem:
            x = layer(x)
        x = self.max_pooling(x)
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.classifier(x.mean((2, 3)))
        return logits


class ElasticResNet50(ResNet50):
    """All sub-networks in one set of weights; state-dict keys and shapes are Once-for-All's."""

    def __init__(self, shape: Shape) -> None:
        middle, stem = max(shape.stem_middle), max(shape.stem)
        super().__init__(
            [
                ElasticConvNorm(shape.channels, middle, 3, shape.stem_stride),
                ElasticResidual(middle),
                ElasticConvNorm(middle, stem, 3),
            ],
            [ElasticBottleneck(block, shape.middle(max(block.outputs), max(RATIOS))) for block in block_shapes(shape)],
            ElasticLinear(max(shape.stages[-1]), shape.classes),
            shape.resolutions[-1],
        )
        self.shape = shape
        self._resolutions = dict(zip(shape.heights, shape.resolutions, strict=False))

    def image_size(self, architecture: Architecture) -> tuple[int, int]:
        """Return height and width of the images that a sub-network takes."""
        return self._resolutions[architecture["r"]] if self._resolutions else self.resolution

    def active_blocks(self, architecture: Architecture) -> list[tuple[ElasticBottleneck, int, int]]:
        """Return the blocks that an architecture keeps, each with its middle and output channels."""
        kept = []
        blocks = cast(list[ElasticBottleneck], self.blocks)
        for block, ratio, stage, position in zip(blocks, architecture["e"], BLOCK_STAGE, BLOCK_POSITION, strict=True):
            if position < LEAST_BLOCKS[stage] + architecture["d"][1 + stage]:
                outputs = self.shape.stages[stage][architecture["w"][2 + stage]]
                kept.append((block, self.shape.middle(outputs, ratio), outputs))
        return kept

    def active_stem(self, architecture: Architecture) -> list[tuple[ElasticConvNorm | ElasticResidual, int]]:
        """Return the stem's layers that an architecture keeps, each with its output channels."""
        within, out = architecture["w"][:2]
        first, residual, last = cast(tuple[ElasticConvNorm, ElasticResidual, ElasticConvNorm], self.input_stem)
        middle, channels = self.shape.stem_middle[within], self.shape.stem[out]
        if architecture["d"][0] < max(DEPTHS):
            return [(first, middle), (last, channels)]
        return [(first, middle), (residual, middle), (last, channels)]

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:  # type: ignore[override]
        """Run the active path of one architecture: images ``(N, channels, H, W)`` to logits."""
        for layer, outputs in self.active_stem(architecture):
            x = layer(x, outputs)
        x = self.max_pooling(x)
        for block, middle, outputs in self.active_blocks(architecture):
            x = block(x, middle, outputs)
        logits: Tensor = self.classifier(x.mean((2, 3)))
        return logits

    def static(self, architecture: Architecture) -> ResNet50:
        """Return a stand-alone network with copies of the active weights, in eval mode."""
        stem, blocks, inputs = [], [], self.shape.channels
        for layer, outputs in self.active_stem(architecture):
            stem.append(layer.static(inputs, outputs))
            inputs = outputs
        for block, middle, outputs in self.active_blocks(architecture):
            blocks.append(block.static(inputs, middle, outputs))
            inputs = outputs
        linear = cast(ElasticLinear, self.classifier.linear).static(inputs)
        return ResNet50(stem, blocks, linear, self.image_size(architecture)).eval()
