"""An ordinary ResNet with bottleneck blocks, of any depth and width (He et al. 2016, arXiv:1512.03385).

Parameter names and the place of the strides, in the 3x3 convolutions, are those of torchvision and timm.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Layout:
    """What the shapes of a ResNet's weights say.

    Attributes:
        channels: input channels.
        classes: number of classes.
        kernel: kernel size of the first convolution.
        stem: channels that leave the first convolution.
        outputs: channels that leave each stage.
        middles: channels of the 3x3 convolution of every block, by stage.
    """

    channels: int
    classes: int
    kernel: int
    stem: int
    outputs: tuple[int, ...]
    middles: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Strides:
    """What they do not say.

    Attributes:
        stem: stride of the first convolution.
        pooling: whether a max-pooling of stride 2 follows it.
        stages: stride of the first block of each stage.
    """

    stem: int
    pooling: bool
    stages: tuple[int, ...]


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut, which is projected where ``project`` is true."""

    def __init__(self, inputs: int, middle: int, outputs: int, stride: int, project: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if project:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, inputs, H, W)`` to ``(N, outputs, H', W')``."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


class ResNet(nn.Module):
    """The whole network; ``resolution`` is the images' height and width."""

    def __init__(self, layout: Layout, strides: Strides, resolution: tuple[int, int]) -> None:
        super().__init__()
        self.resolution = resolution
        self.conv1 = nn.Conv2d(
            layout.channels, layout.stem, layout.kernel, strides.stem, layout.kernel // 2, bias=False
        )
        self.bn1 = nn.BatchNorm2d(layout.stem)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if strides.pooling else nn.Identity()
        self.stages = tuple(f"layer{stage + 1}" for stage in range(len(layout.outputs)))
        inputs = layout.stem
        for name, outputs, middles, stride in zip(
            self.stages, layout.outputs, layout.middles, strides.stages, strict=True
        ):
            blocks: OrderedDict[str, nn.Module] = OrderedDict()
            for position, middle in enumerate(middles):
                first = position == 0
                blocks[str(position)] = Bottleneck(inputs, middle, outputs, stride if first else 1, first)
                inputs = outputs
            self.add_module(name, nn.Sequential(blocks))
        self.fc = nn.Linear(inputs, layout.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, channels, H, W)`` to logits ``(N, classes)``."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(x)), inplace=True))
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits
