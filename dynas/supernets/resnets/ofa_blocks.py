"""The blocks of ResNet50: those of a stand-alone network, and elastic ones that give them."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from dynas.supernets.resnets.layers import ElasticConvNorm, ElasticDownsample
from dynas.supernets.resnets.ofa_shape import BlockShape


class Residual(nn.Module):
    """A convolution with an identity shortcut."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to the same shape."""
        y: Tensor = self.conv(x)
        return x + y


class ElasticResidual(nn.Module):
    """Its elastic counterpart."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = ElasticConvNorm(channels, channels, 3)

    def forward(self, x: Tensor, outputs: int) -> Tensor:
        """Map ``x`` ``(N, outputs, H, W)`` to the same shape."""
        y: Tensor = self.conv(x, outputs)
        return x + y

    def static(self, inputs: int, outputs: int) -> Residual:
        """Return a stand-alone copy of the leading slice."""
        return Residual(self.conv.static(inputs, outputs))


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut, the identity where ``downsample`` is None."""

    def __init__(self, conv1: nn.Module, conv2: nn.Module, conv3: nn.Module, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = conv1
        self.conv2 = conv2
        self.conv3 = conv3
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C', H', W')``."""
        y: Tensor = self.conv3(self.conv2(self.conv1(x)))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


class ElasticBottleneck(nn.Module):
    """Bottleneck block with elastic widths and expansion ratio."""

    def __init__(self, shape: BlockShape, middle: int) -> None:
        super().__init__()
        inputs, outputs = max(shape.inputs), max(shape.outputs)
        self.conv1 = ElasticConvNorm(inputs, middle, 1)
        self.conv2 = ElasticConvNorm(middle, middle, 3, shape.stride)
        self.conv3 = ElasticConvNorm(middle, outputs, 1, relu=False)
        self.downsample = ElasticDownsample(inputs, outputs, shape.stride) if shape.first else None

    def forward(self, x: Tensor, middle: int, outputs: int) -> Tensor:
        """Run the active part on ``x`` ``(N, C, H, W)``."""
        y: Tensor = self.conv3(self.conv2(self.conv1(x, middle), middle), outputs)
        return F.relu(y + (x if self.downsample is None else self.downsample(x, outputs)), inplace=True)

    def static(self, inputs: int, middle: int, outputs: int) -> Bottleneck:
        """Return the active part as a stand-alone block with its own weights."""
        return Bottleneck(
            self.conv1.static(inputs, middle),
            self.conv2.static(middle, middle),
            self.conv3.static(middle, outputs),
            None if self.downsample is None else self.downsample.static(inputs, outputs),
        )
