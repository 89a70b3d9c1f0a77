"""A ResNet of basic blocks (He et al. 2016, arXiv:1512.03385), as ResNet18 at a quarter of its width."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from dynas.supernets.examples.trained import trained

WIDTHS, BLOCKS = (16, 32, 64, 128), 2  # of each stage


class BasicBlock(nn.Module):
    """Two convolutions beside a shortcut, which is projected where sizes differ."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, inputs, H, W)`` to ``(N, outputs, H', W')``."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class BasicResNet(nn.Module):
    """Maps images ``(N, 1, H, W)`` to logits ``(N, classes)``."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, WIDTHS[0], 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        blocks, inputs = [], WIDTHS[0]
        for stage, width in enumerate(WIDTHS):
            for place in range(BLOCKS):
                blocks.append(BasicBlock(inputs, width, 2 if stage and not place else 1))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images to logits."""
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


def basic_resnet(embedded: bool = True, classes: int = 100) -> nn.Module:
    """Return the network in eval mode: trained on pairs of garments (see its card), or with random weights."""
    return trained(BasicResNet(classes), "basic_resnet" if embedded else None)
