"""The network that is to be pruned, from wherever its owner keeps it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, fx, nn

from dynas.errors import DynasError, reason
from dynas.supernets.weights.load import first_of
from dynas.supernets.weights.state import COUNTERS, PREFIXES
from dynas.system.named import NAMED, found_or_made

PROGRAM = ".pt2"


def original(model: object) -> nn.Module:
    """Return the network in eval mode.

    Args:
        model: a module, which is copied; the path of a program of torch.export; or ``module:function``, a function of
            a module that can be imported, which is run and returns the network.

    Raises:
        DynasError: there is no such network.
    """
    if isinstance(model, str):
        made = from_program(Path(model).expanduser()) if model.endswith(PROGRAM) else from_function(model)
    else:
        made = deepcopy(model)
    if not isinstance(made, nn.Module):
        raise DynasError(f"supernet.model={model} gives a {type(made).__name__}, but a torch.nn.Module is needed")
    if isinstance(made, torch.jit.ScriptModule):
        raise DynasError("a TorchScript module has no structure that can be pruned: give the torch.nn.Module itself")
    return made.eval()


def from_function(text: str) -> object:
    """Return what a function returns that is named as ``module:function``."""
    if not NAMED.fullmatch(text):
        raise DynasError(
            f"supernet.model={text}: give <module>:<function>, such as mine:network for the function network() in "
            f"mine.py, or the path of a torch.export program, whose name ends with {PROGRAM}"
        )
    return found_or_made(text, "supernet.model", nn.Module)


def from_program(path: Path) -> nn.Module:
    """Return the network of a torch.export program; nothing that its file names is run.

    Raises:
        DynasError: there is no such file, it is no program, or it holds more than tensors.
    """
    if not path.is_file():
        raise DynasError(f"supernet.model={path}: there is no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            check_data(archive, path)
        module = torch.export.load(path).module()
        for node in module.graph.find_nodes(op="call_module", target="_guards_fn"):
            module.graph.erase_node(node)  # it refuses images unlike those that it was saved with: told when traced
        return fx.GraphModule(module, module.graph)  # an ordinary one: torch's own refuses eval()
    except DynasError:
        raise
    except Exception as error:  # torch raises a different type for every way in which a file can be broken
        raise DynasError(f"'{path}' is no program of torch.export that this torch reads: {reason(error)}") from error


def check_data(archive: zipfile.ZipFile, path: Path) -> None:
    """Raise DynasError where an archive holds pickles of anything but tensors and numbers, which torch would run."""
    for name in archive.namelist():
        content = archive.read(name)
        if not content or name.endswith((".json", "/version", "/byteorder", "/archive_format", "/archive_version")):
            continue
        if content[:2] == b"PK" or content[:1] == b"\x80" or name.endswith((".pt", ".pth", ".pkl")):
            try:
                torch.load(io.BytesIO(content), weights_only=True)
            except Exception as error:  # as above
                raise DynasError(
                    f"'{path}' holds '{name}', which is more than tensors; nothing was loaded: save the program again, "
                    "with example inputs that are tensors"
                ) from error


def fill(model: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Copy a state dict into the network; all entries but counters must be there, with their shapes.

    Raises:
        DynasError: naming the first missing, unexpected, misshapen or odd entries.
    """
    own = counted_out(model.state_dict())
    given = counted_out(state)
    while not set(given) & set(own) and (
        prefix := next((one for one in PREFIXES if given and all(name.startswith(one) for name in given)), None)
    ):
        given = {name.removeprefix(prefix): value for name, value in given.items()}
    shapes = [
        f"'{name}' as {tuple(given[name].shape)} instead of {tuple(value.shape)}"
        for name, value in own.items()
        if name in given and given[name].shape != value.shape
    ]
    findings = {
        "lacks": [f"'{name}'" for name in own if name not in given],
        "has unexpected": [f"'{name}'" for name in given if name not in own],
        "has": shapes,
    }
    if faults := [f"{verb} {first_of(entries)}" for verb, entries in findings.items() if entries]:
        raise DynasError(f"the weights of '{path}' do not fit the network of supernet.model: it {'; it '.join(faults)}")
    odd = [f"'{name}'" for name, value in given.items() if not bool(value.double().isfinite().all())]
    if odd:
        raise DynasError(f"the weights of '{path}' have values that are no finite numbers in {first_of(odd)}")
    model.load_state_dict(given, strict=False)


def counted_out(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state without what merely counts steps."""
    return {name: value for name, value in state.items() if not name.endswith(COUNTERS)}


def digest(model: nn.Module) -> str:
    """Return the SHA-256 of a network's parameters and buffers."""
    found = hashlib.sha256()
    for name, value in sorted(counted_out(model.state_dict()).items()):
        found.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        found.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes() if value.dim() else b"")
        found.update(str(value.item()).encode() if not value.dim() else b"")
    return found.hexdigest()
