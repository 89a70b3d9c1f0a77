"""The tensors of a checkpoint file, told apart by what the file holds, and never by unpickling code."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from dynas.errors import DynasError
from dynas.supernets.weights.storage import unpacked

# under which names training programs keep a network's tensors, the first that is there counts
NESTED = (
    *("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params"),
    *("state_dict_ema", "model_ema", "ema_state_dict", "ema"),
)
NO_CHECKPOINT = {
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself by 'git lfs pull'",
    b"<": "a web page, not what it links to: download it again",
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"\xfd7zXZ\x00": "compressed by xz: unpack it first",
    b"BZh": "compressed by bzip2: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it first",
    b"\x89HDF": "a file of HDF5 (Keras, TensorFlow)",
    b"\x93NUMPY": "an array of NumPy",
}


class Standin:
    """Takes the place of an object that lies beside the tensors: may be made from anything, and keeps nothing of it."""

    def __new__(cls, *args: Any) -> Standin:  # noqa: D102
        return super().__new__(cls)

    def __init__(self, *args: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


# numbers, dates and paths that training programs put beside the weights, as pickles name what makes them
BESIDE = (
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
    *("numpy._core.numeric._frombuffer", "numpy.core.numeric._frombuffer", "numpy.ndarray", "numpy.dtype"),
    *(f"numpy.dtypes.{name}" for name in np.dtypes.__all__),
    *(f"{place}.{name}Path" for place in ("pathlib", "pathlib._local") for name in ("Posix", "Windows")),
    *(f"{place}.Pure{name}Path" for place in ("pathlib", "pathlib._local") for name in ("Posix", "Windows")),
    *("_codecs.encode", "argparse.Namespace", "datetime.datetime", "datetime.date", "datetime.timedelta"),
)
STANDINS: list[Any] = [
    type(name.rpartition(".")[2], (Standin,), {"__module__": name.rpartition(".")[0]}) for name in BESIDE
]


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint, of safetensors or torch, whatever the file is called.

    Raises:
        DynasError: it is none, holds objects that code would have to be run for, or tensors without values.
    """
    try:
        with path.open("rb") as file:
            start = file.read(64)
        if start[8:9] == b"{":  # behind the length of a header in safetensors; no file of torch begins so
            return unpacked(load_file(path))
    except (SafetensorError, OSError) as error:
        raise DynasError(f"cannot read weights from '{path}': {error}") from error
    if what := no_checkpoint(start.lstrip()):
        raise DynasError(f"'{path}' is no checkpoint, it is {what}")
    state = tensors_of(read_torch(path), path)
    if odd := next((key for key, value in state.items() if not is_plain(value)), None):
        raise DynasError(
            f"'{path}' has '{odd}' as a tensor that is sparse, nested, quantised or without values (device 'meta'), "
            "but plain ones are needed"
        )
    return state


def no_checkpoint(start: bytes) -> str | None:
    """Return what a file is that begins so, where that is known and is no checkpoint."""
    if not start:
        return "empty"
    return next((what for beginning, what in NO_CHECKPOINT.items() if start.startswith(beginning)), None)


def read_torch(path: Path) -> object:
    """Return what a checkpoint of torch holds; nothing that it names is run.

    Raises:
        DynasError: it is damaged, or holds objects that torch does not read as data.
    """
    try:
        if strange := strange_archive(path):
            raise DynasError(f"'{path}' is no torch checkpoint, it is {strange}; nothing was loaded")
        with torch.serialization.safe_globals(STANDINS), warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # torch's about odd files
            return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DynasError(f"cannot read weights from '{path}': {error}") from error
    except DynasError:
        raise
    except Exception as error:  # torch raises a different type for every way in which a file can be broken
        if found := re.search(r"GLOBAL ([\w.]+)", str(error)):
            raise DynasError(
                f"'{path}' needs {found[1]} to be run, as a pickled network or optimiser does; nothing was loaded: "
                "save the network's state_dict() instead"
            ) from error
        raise DynasError(f"'{path}' is no torch checkpoint that holds tensors only; nothing was loaded") from error


def strange_archive(path: Path) -> str | None:
    """Return what a zip archive is that torch did not write as a checkpoint; None for all other files."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(entry.filename.endswith(".npy") for entry in entries):
        return "an archive of NumPy's arrays"
    if any(entry.filename.endswith("/constants.pkl") for entry in entries):
        return "a TorchScript archive: save the network's state_dict()"
    if any(entry.file_size > entry.compress_size for entry in entries):  # which could fill the memory
        return "a compressed zip archive: unpack it first"
    return None


def tensors_of(content: object, path: Path) -> dict[str, Tensor]:
    """Return the network's tensors in what a checkpoint holds; raise DynasError where there are none."""
    while isinstance(content, dict) and not is_state(content):
        inner = next((content[name] for name in NESTED if isinstance(content.get(name), dict)), None)
        if inner is None:
            break
        content = inner
    if is_state(content):
        return content
    raise DynasError(f"'{path}' holds no state dict of tensors{contents(content)}")


def is_state(content: object) -> TypeGuard[dict[str, Tensor]]:
    """Return whether something is a state dict: tensors by name, and nothing else."""
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items())
    )


def contents(content: object, most: int = 8) -> str:
    """Return in words what a checkpoint holds instead of tensors by name."""
    if not isinstance(content, dict):
        kind = type(content)
        return f", but an object of the type {kind.__module__}.{kind.__qualname__}".replace("builtins.", "")
    others_first = sorted(content.items(), key=lambda entry: isinstance(entry[1], Tensor))
    held = [f"'{key}' ({type(value).__name__})" for key, value in others_first]
    more = f" and {len(held) - most} more" if len(held) > most else ""
    return f": it has {', '.join(held[:most]) or 'nothing in it'}{more}; looked for under {', '.join(NESTED)}"


def is_plain(value: Tensor) -> bool:
    """Return whether a tensor has all its values, one beside the other."""
    return value.layout == torch.strided and not (value.is_meta or value.is_nested or value.is_quantized)


PREFIXES = ("module.", "_orig_mod.", "model.")  # of torch.nn.DataParallel, torch.compile and Lightning
COUNTERS = ("num_batches_tracked", "n_averaged")  # of batch norm and torch.optim.swa_utils


def our_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return ``state`` without counters, under the names of Once-for-All's present code.

    Its first versions, which wrote the public MobileNet checkpoints, called a block's ``conv`` otherwise (see
    ``load_state_dict`` in its ``ofa_mbv3.py``); wrappers of networks put a prefix before every name.
    """
    named = {key: value for key, value in state.items() if not key.endswith(COUNTERS)}
    while prefix := next((one for one in PREFIXES if named and all(key.startswith(one) for key in named)), None):
        named = {key.removeprefix(prefix): value for key, value in named.items()}
    return {key.replace(".mobile_inverted_conv.", ".conv."): value for key, value in named.items()}
