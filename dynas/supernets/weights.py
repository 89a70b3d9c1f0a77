"""Reading and writing a supernet's weights, never by unpickling code."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dynas.errors import DynasError

EMBEDDED = Path(__file__).parent / "embedded"


def embedded_path(name: str) -> Path:
    """Return where the package keeps a supernet's embedded weights."""
    return EMBEDDED / f"{name}.safetensors"


def load_weights(module: nn.Module, source: str, name: str) -> str:
    """Fill ``module`` from ``source`` and return the SHA-256 of the file.

    Args:
        module: the elastic network.
        source: ``embedded``, ``random`` (keeps the weights as they are) or a path to a ``.safetensors`` file
            or a torch checkpoint that holds tensors only.
        name: the supernet's name, for the embedded file and in errors.

    Raises:
        DynasError: the file is missing, is no checkpoint, or its keys or shapes do not fit.
    """
    if source == "random":
        return "random"
    path = embedded_path(name) if source == "embedded" else Path(source).expanduser()
    if not path.is_file():
        raise DynasError(f"no weights at '{path}': give supernet.weights=embedded or the path of a checkpoint")
    copy_state(module, _read(path), path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals([argparse.Namespace]):  # fairseq's checkpoints hold their arguments
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError) as error:
        raise DynasError(f"cannot read weights from '{path}': {error}") from error
    except Exception as error:  # torch raises a different type for every way in which a file can be broken
        raise DynasError(f"'{path}' is no torch checkpoint that holds tensors only; nothing was loaded") from error
    if isinstance(state, dict):
        state = state.get("state_dict", state.get("model", state))
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise DynasError(f"'{path}' holds no state dict of tensors")
    return state


def copy_state(module: nn.Module, state: dict[str, Tensor], origin: object) -> None:
    """Copy ``state`` into ``module``; every key must be there with its shape.

    Raises:
        DynasError: naming the first missing, unexpected or misshapen entry.
    """
    own = {key: value for key, value in module.state_dict().items() if not key.endswith("num_batches_tracked")}
    state = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    faults = [f"lacks '{key}'" for key in own if key not in state]
    faults += [f"has unexpected '{key}'" for key in state if key not in own]
    faults += [
        f"has '{key}' as {tuple(state[key].shape)} instead of {tuple(value.shape)}"
        for key, value in own.items()
        if key in state and state[key].shape != value.shape
    ]
    if faults:
        more = f" (and {len(faults) - 1} more such entries)" if len(faults) > 1 else ""
        raise DynasError(f"the weights of '{origin}' do not fit this supernet: it {faults[0]}{more}")
    module.load_state_dict({key: value.float() for key, value in state.items()}, strict=False)


def save_half(module: nn.Module, path: Path) -> None:
    """Write the weights of ``module`` in half precision as safetensors."""
    state = {
        key: value.half().contiguous()
        for key, value in module.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path)
