"""Elastic layers of residual networks, and their sliced, stand-alone counterparts.

Parameter names follow the public Once-for-All checkpoints (Cai et al. 2020, arXiv:1908.09791). Stand-alone
layers are made without an initialisation that the copied weights would overwrite at once.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.supernets.layers import ElasticBatchNorm, copy_slice


def cut(part: nn.Module, full: nn.Module) -> nn.Module:
    """Return ``part``, a layer made on the meta device, with its own copy of the leading slice of ``full``."""
    for name, parameter in list(part.named_parameters()):
        leading = full.get_parameter(name).detach()[tuple(slice(0, size) for size in parameter.shape)]
        part.register_parameter(name, nn.Parameter(leading.clone(memory_format=torch.contiguous_format)))
    return part


class ElasticConv(nn.Module):
    """Dense convolution, elastic in its inputs and outputs."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)

    def forward(self, x: Tensor, outputs: int) -> Tensor:
        """Map ``x`` ``(N, C, H, W)`` to its ``outputs`` leading output channels."""
        conv = self.conv
        return F.conv2d(x, conv.weight[:outputs, : x.shape[1]], None, conv.stride, conv.padding)


class ElasticConvNorm(nn.Module):
    """Elastic convolution and batch norm, then ReLU where asked for."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, relu: bool = True) -> None:
        super().__init__()
        self.conv = ElasticConv(inputs, outputs, kernel, stride)
        self.bn = ElasticBatchNorm(outputs)
        self.relu = relu

    def forward(self, x: Tensor, outputs: int) -> Tensor:
        """Map ``x`` ``(N, C, H, W)`` to ``outputs`` channels."""
        y: Tensor = self.bn(self.conv(x, outputs))
        return F.relu(y, inplace=True) if self.relu else y

    def static(self, inputs: int, outputs: int) -> nn.Sequential:
        """Return a stand-alone copy of the leading slice."""
        full, kernel = self.conv.conv, self.conv.conv.kernel_size[0]
        conv = nn.Conv2d(inputs, outputs, kernel, full.stride[0], kernel // 2, bias=False, device="meta")
        layers = OrderedDict(conv=cut(conv, full), bn=nn.BatchNorm2d(outputs))
        copy_slice(layers["bn"], self.bn.bn)
        if self.relu:
            layers["act"] = nn.ReLU(inplace=True)
        return nn.Sequential(layers)


class ElasticDownsample(ElasticConvNorm):
    """The projection on a shortcut: average pooling, which keeps a partial window at the edge, then 1x1."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__(inputs, outputs, 1, relu=False)
        self.avg_pool = nn.AvgPool2d(stride, stride, ceil_mode=True)

    def forward(self, x: Tensor, outputs: int) -> Tensor:
        """Map ``x`` ``(N, C, H, W)`` to ``outputs`` channels and fewer pixels."""
        return super().forward(self.avg_pool(x), outputs)

    def static(self, inputs: int, outputs: int) -> nn.Sequential:
        """Return a stand-alone copy of the leading slice."""
        pool = nn.AvgPool2d(self.avg_pool.kernel_size, self.avg_pool.stride, ceil_mode=True)
        return nn.Sequential(OrderedDict(avg_pool=pool, **dict(super().static(inputs, outputs).named_children())))


class ElasticLinear(nn.Module):
    """Linear layer, elastic in its inputs."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map features ``(N, F)`` to ``(N, outputs)``; ``F`` may be any leading part of the inputs."""
        return F.linear(x, self.linear.weight[:, : x.shape[1]], self.linear.bias)

    def static(self, inputs: int) -> nn.Module:
        """Return a stand-alone copy of the leading slice."""
        return cut(nn.Linear(inputs, self.linear.out_features, device="meta"), self.linear)


class Classifier(nn.Module):
    """The last layer, named as in the public checkpoints."""

    def __init__(self, linear: nn.Module) -> None:
        super().__init__()
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        """Map features ``(N, F)`` to logits ``(N, classes)``."""
        logits: Tensor = self.linear(x)
        return logits
