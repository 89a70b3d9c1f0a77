"""Elastic layers: each holds the largest weights and runs, or cuts out, their leading slice.

Parameter names follow the public Once-for-All checkpoints (Cai et al. 2020, arXiv:1908.09791), so that
those load unchanged; the sliced, stand-alone counterparts are ordinary torch layers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "relu6": lambda: nn.ReLU6(inplace=True),
    "h_swish": lambda: nn.Hardswish(inplace=True),
}


class BlankConv2d(nn.Conv2d):
    """A convolution without initial weights, for one that is filled at once: drawing them takes most of the time."""

    def reset_parameters(self) -> None:
        """Leave the memory as it is."""


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of ``divisor``, never down by more than a tenth (Sandler et al. 2018)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def squeezed(channels: int) -> int:
    """Return the bottleneck width of the squeeze-and-excitation of ``channels`` channels."""
    return make_divisible(channels // 4)


def conv_bn(
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    act: str | None = None,
    se: bool = False,
    make_conv: type[nn.Conv2d] = nn.Conv2d,
) -> nn.Sequential:
    """Return convolution, batch norm, then activation and squeeze-and-excitation where asked for."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=make_conv(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        bn=nn.BatchNorm2d(outputs),
    )
    if act is not None:
        layers["act"] = ACTIVATIONS[act]()
    if se:
        layers["se"] = SqueezeExcite(outputs, make_conv)
    return nn.Sequential(layers)


class Classifier(nn.Module):
    """The last linear layer, named as in the public checkpoints."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map features ``(N, F)`` to logits ``(N, classes)``."""
        logits: Tensor = self.linear(x)
        return logits


class GlobalMean(nn.Module):
    """The mean over all pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, 1, 1)``."""
        return x.mean((2, 3), keepdim=True)


class ReduceExpand(nn.Module):
    """The two 1x1 convolutions of a squeeze-and-excitation."""

    def __init__(self, channels: int, make_conv: type[nn.Conv2d] = nn.Conv2d) -> None:
        super().__init__()
        self.reduce = make_conv(channels, squeezed(channels), 1)
        self.expand = make_conv(squeezed(channels), channels, 1)


class SqueezeExcite(nn.Module):
    """Channel attention with a hard sigmoid (Howard et al. 2019), elastic in its channels."""

    def __init__(self, channels: int, make_conv: type[nn.Conv2d] = nn.Conv2d) -> None:
        super().__init__()
        self.fc = ReduceExpand(channels, make_conv)

    def forward(self, x: Tensor) -> Tensor:
        """Scale the channels of ``x`` ``(N, C, H, W)``; ``C`` may be any leading part of the full width."""
        channels, hidden = x.shape[1], squeezed(x.shape[1])
        reduce, expand = self.fc.reduce, self.fc.expand
        assert reduce.bias is not None
        assert expand.bias is not None
        y = x.mean((2, 3), keepdim=True)
        y = F.relu(F.conv2d(y, reduce.weight[:hidden, :channels], reduce.bias[:hidden]))
        y = F.conv2d(y, expand.weight[:channels, :hidden], expand.bias[:channels])
        return x * F.hardsigmoid(y)


def copy_slice(part: nn.Module, full: nn.Module) -> None:
    """Copy into every parameter and buffer of ``part`` the leading slice of the one of ``full``."""
    source = dict(full.named_parameters()) | dict(full.named_buffers())
    with torch.no_grad():
        for name, target in (*part.named_parameters(), *part.named_buffers()):
            target.copy_(source[name][tuple(map(slice, target.shape))])


class ElasticBatchNorm(nn.Module):
    """Batch norm over the leading channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` ``(N, C, H, W)`` by the statistics of its ``C`` leading channels."""
        bn, channels = self.bn, x.shape[1]
        assert bn.running_mean is not None
        assert bn.running_var is not None
        assert bn.momentum is not None
        return F.batch_norm(
            x,
            bn.running_mean[:channels],
            bn.running_var[:channels],
            bn.weight[:channels],
            bn.bias[:channels],
            self.training,
            bn.momentum,
            bn.eps,
        )


class ElasticPointConv(nn.Module):
    """1x1 convolution, elastic in its inputs and outputs."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor, outputs: int) -> Tensor:
        """Map ``x`` ``(N, C, H, W)`` to its ``outputs`` leading output channels."""
        return F.conv2d(x, self.conv.weight[:outputs, : x.shape[1]])


class ElasticDepthConv(nn.Module):
    """Depthwise convolution, elastic in channels and kernel size.

    A smaller kernel is the centre of the next larger one, times a learned matrix (Cai et al. 2020,
    section 3.2).
    """

    def __init__(self, channels: int, kernels: tuple[int, ...], stride: int) -> None:
        super().__init__()
        self.kernels = tuple(sorted(kernels))
        self.stride = stride
        self.conv = nn.Conv2d(channels, channels, self.kernels[-1], stride, groups=channels, bias=False)
        for small, large in zip(self.kernels[:-1], self.kernels[1:], strict=True):
            self.register_parameter(f"{large}to{small}_matrix", nn.Parameter(torch.eye(small**2)))

    def kernel(self, size: int, channels: int) -> Tensor:
        """Return the weights ``(channels, 1, size, size)``."""
        weight = self.conv.weight[:channels]
        for small, large in reversed(list(zip(self.kernels[:-1], self.kernels[1:], strict=True))):
            if large <= size:
                break
            rim = (large - small) // 2
            centre = weight[:, :, rim : large - rim, rim : large - rim].reshape(channels, -1)
            matrix = self.get_parameter(f"{large}to{small}_matrix")
            weight = F.linear(centre, matrix).view(channels, 1, small, small)
        return weight

    def forward(self, x: Tensor, size: int) -> Tensor:
        """Convolve every channel of ``x`` ``(N, C, H, W)`` with its kernel of ``size``."""
        weight, padding = self.kernel(size, x.shape[1]), size // 2
        if min(x.shape[2:]) < size:  # then oneDNN takes three times as long for the gradient if it has to pad itself
            x, padding = F.pad(x, [padding] * 4), 0
        return F.conv2d(x, weight, None, self.stride, padding, groups=x.shape[1])


class ElasticPointNorm(nn.Module):
    """Elastic 1x1 convolution and batch norm."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = ElasticPointConv(inputs, outputs)
        self.bn = ElasticBatchNorm(outputs)

    def forward(self, x: Tensor, outputs: int) -> Tensor:
        """Map ``x`` ``(N, C, H, W)`` to ``outputs`` channels."""
        y: Tensor = self.bn(self.conv(x, outputs))
        return y

    def static(self, inputs: int, outputs: int, act: str | None = None) -> nn.Sequential:
        """Return a stand-alone copy of the leading slice."""
        layers = conv_bn(inputs, outputs, 1, act=act, make_conv=BlankConv2d)
        copy_slice(layers.get_submodule("conv"), self.conv.conv)
        copy_slice(layers.get_submodule("bn"), self.bn.bn)
        return layers


class ElasticDepthNorm(nn.Module):
    """Elastic depthwise convolution and batch norm, then activation and squeeze-and-excitation."""

    def __init__(self, channels: int, kernels: tuple[int, ...], stride: int, act: str, se: bool) -> None:
        super().__init__()
        self.act_name = act
        self.conv = ElasticDepthConv(channels, kernels, stride)
        self.bn = ElasticBatchNorm(channels)
        self.act = ACTIVATIONS[act]()
        self.se = SqueezeExcite(channels) if se else None

    def forward(self, x: Tensor, kernel: int) -> Tensor:
        """Convolve ``x`` ``(N, C, H, W)`` with kernels of size ``kernel``."""
        y: Tensor = self.act(self.bn(self.conv(x, kernel)))
        return y if self.se is None else self.se(y)

    def static(self, channels: int, kernel: int) -> nn.Sequential:
        """Return a stand-alone copy of the leading slice with one kernel size."""
        se = self.se is not None
        layers = conv_bn(channels, channels, kernel, self.conv.stride, channels, self.act_name, se, BlankConv2d)
        with torch.no_grad():
            layers.get_parameter("conv.weight").copy_(self.conv.kernel(kernel, channels))
        copy_slice(layers.get_submodule("bn"), self.bn.bn)
        if self.se is not None:
            copy_slice(layers.get_submodule("se"), self.se)
        return layers
