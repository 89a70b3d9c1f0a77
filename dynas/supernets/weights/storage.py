"""How a trained supernet's weights are stored: safetensors of 16 bits per number, or of 8 with a scale per row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from dynas.errors import DynasError
from dynas.system.files import replacing

INFERRED = "dynas.inferred"  # names the settings among a file's own words
SCALE = ".scale"  # ends the name of the scales of a tensor in 8 bits
STORAGES = ("half", "int8")


def save_weights(
    module: nn.Module, path: Path, storage: str = "half", inferred: Mapping[str, Any] | None = None
) -> None:
    """Write the weights of ``module``.

    Args:
        module: the elastic network.
        path: a ``.safetensors`` file.
        storage: ``half``, or ``int8``, which keeps matrices and kernels as integers of -127 to 127 with one scale per
            row, the rest in half precision: a small file for a large network, which loses a little.
        inferred: the settings that the weights decide (`dynas.core.supernet.Supernet`); they go into the file.
    """
    state: dict[str, Tensor] = {}
    for name, value in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if storage == "int8" and value.ndim > 1:
            state[name], state[name + SCALE] = packed(value)
        else:
            state[name] = value.to(torch.half, copy=True).contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(save(state, {INFERRED: json.dumps(inferred, sort_keys=True)} if inferred else None))


def read_inferred(path: Path) -> Any:
    """Return the settings that a file of ours says its weights decide; None where it says none.

    Raises:
        DynasError: it says something that cannot be read.
    """
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(INFERRED)
    except (SafetensorError, OSError):
        return None  # what is no such file is told by whoever reads its tensors
    try:
        return None if text is None else json.loads(text)
    except ValueError as error:
        raise DynasError(f"'{path}' does not say in JSON which settings its weights decide") from error


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
