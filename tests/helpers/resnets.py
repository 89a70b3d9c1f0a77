"""ResNets with random weights, and supernets of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dynas.supernets.bootstrap_resnet50 import BootstrapResNet50Supernet

OPTIONS: dict[str, Any] = {
    "resolution": (28, 56),
    "depths": (0, 1),
    "widths": (0.65, 0.8, 1.0),
    "expansions": (0.2, 0.25),
    "divisor": 1,
}
NARROW: dict[str, Any] = {  # the layout of the embedded network
    "channels": 1,
    "classes": 100,
    "kernel": 7,
    "stem": 8,
    "outputs": [32, 64, 128, 256],
    "middles": [[8] * 3, [16] * 4, [32] * 6, [64] * 3],
}


def bootstrapped(**changes: Any) -> BootstrapResNet50Supernet:
    """The supernet whose weights are embedded in the package, untrained."""
    return BootstrapResNet50Supernet(**({"weights": "random", "network": NARROW, **OPTIONS} | changes))


def odd_bootstrapped(**changes: Any) -> BootstrapResNet50Supernet:
    """One for small images, with other stages, blocks and options, and image sides that no stride divides."""
    network = {"channels": 3, "classes": 7, "kernel": 3, "stem": 12, "outputs": [40, 68, 96]}
    odd: dict[str, Any] = {"network": network | {"middles": [[20, 20, 20], [34, 34, 34, 34], [48, 48]]}}
    odd |= {"resolution": (37, 23), "strides": (2, 3, 1), "divisor": 2, "pooling": True}
    odd |= {"depths": (0, 1), "widths": (0.5, 1.0), "expansions": (0.25, 0.4, 0.5)}
    return bootstrapped(**(odd | changes))


def random_state(
    channels: int, classes: int, kernel: int, stem: int, outputs: tuple[int, ...], blocks: tuple[int, ...],
    expansion: float = 0.25,
) -> dict[str, Tensor]:  # fmt: skip
    """Return the state dict of a ResNet with torchvision's names, its filters of different norms."""
    draw = torch.Generator().manual_seed(0)
    state: dict[str, Tensor] = {}

    def conv(name: str, fan_out: int, fan_in: int, size: int) -> None:
        weight = torch.randn(fan_out, fan_in, size, size, generator=draw) / (fan_in * size**2) ** 0.5
        state[f"{name}.weight"] = weight * (0.5 + torch.rand(fan_out, 1, 1, 1, generator=draw))

    def norm(name: str, width: int) -> None:
        for part, shift in (("weight", 0.5), ("bias", -0.5), ("running_mean", -0.5), ("running_var", 0.5)):
            state[f"{name}.{part}"] = shift + torch.rand(width, generator=draw)

    conv("conv1", stem, channels, kernel)
    norm("bn1", stem)
    inputs = stem
    for stage, (width, count) in enumerate(zip(outputs, blocks, strict=True), start=1):
        middle = round(width * expansion)
        for block in range(count):
            name = f"layer{stage}.{block}"
            for index, (fan_out, fan_in, size) in enumerate(
                ((middle, inputs, 1), (middle, middle, 3), (width, middle, 1)), start=1
            ):
                conv(f"{name}.conv{index}", fan_out, fan_in, size)
                norm(f"{name}.bn{index}", fan_out)
            if block == 0:
                conv(f"{name}.downsample.0", width, inputs, 1)
                norm(f"{name}.downsample.1", width)
            inputs = width
    state["fc.weight"] = torch.randn(classes, inputs, generator=draw) / inputs**0.5
    state["fc.bias"] = torch.randn(classes, generator=draw)
    return state
