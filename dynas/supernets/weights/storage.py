"""How a trained supernet's weights are stored: safetensors of 16 bits per number, or of 8 with a scale per row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from dynas.system.files import replacing

SCALE = ".scale"  # ends the name of the scales of a tensor in 8 bits
STORAGES = ("half", "int8")


def save_weights(module: nn.Module, path: Path, storage: str = "half") -> None:
    """Write the weights of ``module``.

    Args:
        module: the elastic network.
        path: a ``.safetensors`` file.
        storage: ``half``, or ``int8``, which keeps matrices and kernels as integers of -127 to 127 with one scale per
            row, the rest in half precision: a small file for a large network, which loses a little.
    """
    state: dict[str, Tensor] = {}
    for name, value in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if storage == "int8" and value.ndim > 1:
            state[name], state[name + SCALE] = packed(value)
        else:
            state[name] = value.half().contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(save(state))


def packed(value: Tensor) -> tuple[Tensor, Tensor]:
    """Return a tensor ``(rows, ...)`` as 8-bit integers, and their scales ``(rows,)`` in single precision."""
    scales = value.flatten(1).abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / 127
    return (value / scales.view(-1, *[1] * (value.ndim - 1))).round().to(torch.int8), scales


def unpacked(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return ``state`` with tensors of 8-bit integers multiplied by their scales."""
    numbers = {name: value for name, value in state.items() if not name.endswith(SCALE)}
    for name, value in numbers.items():
        scales = state.get(name + SCALE)
        if value.dtype == torch.int8 and scales is not None and scales.shape == value.shape[:1]:
            numbers[name] = value.float() * scales.float().view(-1, *[1] * (value.ndim - 1))
    return numbers
