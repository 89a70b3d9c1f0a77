"""A small MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381): inverted residual blocks with depthwise convolutions."""

from __future__ import annotations

from torch import Tensor, nn

from dynas.supernets.examples.trained import trained

STEM, HEAD = 16, 256
EXPANSION = 4
STAGES = ((24, 2, 2), (48, 3, 2), (96, 3, 1))  # width, blocks, stride of the first


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """Return a convolution that keeps the size at stride 1, and its norm."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outputs)]


class InvertedResidual(nn.Module):
    """Expands, filters each channel by itself, projects; a shortcut where sizes are equal."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        inner = EXPANSION * inputs
        self.body = nn.Sequential(
            *conv_bn(inputs, inner, 1), nn.ReLU6(), *conv_bn(inner, inner, 3, stride, inner), nn.ReLU6(),
            *conv_bn(inner, outputs, 1),
        )  # fmt: skip
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, inputs, H, W)`` to ``(N, outputs, H', W')``."""
        y: Tensor = self.body(x)
        return x + y if self.shortcut else y


class MobileNetV2(nn.Module):
    """Maps images ``(N, 1, H, W)`` to logits ``(N, classes)``."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers, inputs = [*conv_bn(1, STEM, 3, 2), nn.ReLU6()], STEM
        for width, blocks, stride in STAGES:
            for place in range(blocks):
                layers.append(InvertedResidual(inputs, width, 1 if place else stride))
                inputs = width
        self.features = nn.Sequential(*layers, *conv_bn(inputs, HEAD, 1), nn.ReLU6())
        self.classifier = nn.Linear(HEAD, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images to logits."""
        logits: Tensor = self.classifier(self.features(x).mean((2, 3)))
        return logits


def mobilenet_v2(embedded: bool = True, classes: int = 100) -> nn.Module:
    """Return the network in eval mode: trained on pairs of garments (see its card), or with random weights."""
    return trained(MobileNetV2(classes), "mobilenet_v2" if embedded else None)
