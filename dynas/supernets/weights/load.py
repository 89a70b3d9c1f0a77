"""Reading a supernet's weights, never by unpickling code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from dynas.errors import DynasError
from dynas.supernets.weights.download import Checkpoint, fetch, sha256
from dynas.supernets.weights.state import our_names, read_state
from dynas.system.folders import CONFIGS

IN_FOLDERS = ("model.safetensors", "pytorch_model.bin")  # weights in folders of Hugging Face transformers
Naming = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
EMBEDDED = Path(__file__).parents[1] / "embedded"


def embedded_path(name: str) -> Path:
    """Return where the package keeps a supernet's embedded weights."""
    return EMBEDDED / f"{name}.safetensors"


def load_weights(
    module: nn.Module, source: str, name: str, public: Checkpoint | None = None, named: Naming = our_names
) -> str:
    """Fill ``module`` from ``source`` and return the SHA-256 of the file.

    Args:
        module: the elastic network.
        source: ``embedded``, ``ofa`` (the public checkpoint, downloaded once), ``random`` (keeps the weights as they
            are), a path to a ``.safetensors`` file or a torch checkpoint that holds tensors only, or to a folder of
            Hugging Face transformers.
        name: the supernet's name, for the embedded file and in errors.
        public: the public checkpoint that fits the supernet's shape, where there is one.
        named: returns the tensors of a file under the network's names.

    Raises:
        DynasError: the file is missing, is no checkpoint, or its keys, shapes or values do not fit.
    """
    if source == "random":
        return "random"
    path = locate(source, name, public)
    try:
        copy_state(module, named(read_state(path)), path)
    except DynasError as error:
        again = f"; delete '{path}' to download it again" if source == "ofa" else ""
        raise DynasError(f"{error}{again}") from error
    return sha256(path)


def locate(source: str, name: str, public: Checkpoint | None) -> Path:
    """Return the file of the weights, after downloading it for ``ofa``.

    Raises:
        DynasError: there is none.
    """
    if source == "ofa":
        if public is None:
            ours = " or ".join(sorted(path.stem for path in (CONFIGS / "supernet").glob(f"ofa_{name}*.yaml")))
            raise DynasError(
                f"there is no public Once-for-All checkpoint for this shape of supernet '{name}': "
                f"give {f'supernet={ours}' if ours else 'supernet.weights=random'} or the path of a checkpoint"
            )
        return fetch(public)
    path = embedded_path(name) if source == "embedded" else Path(source).expanduser()
    path = next((path / file for file in IN_FOLDERS if (path / file).is_file()), path)
    if not path.is_file():
        why = f"the folder has neither {' nor '.join(IN_FOLDERS)}" if path.is_dir() else "there is no such file"
        ours = ", or embedded" if embedded_path(name).is_file() else ""
        raise DynasError(f"no weights at '{path}', {why}: give the path of a checkpoint{ours}")
    return path


def copy_state(module: nn.Module, state: Mapping[str, Tensor], origin: object) -> None:
    """Copy ``state`` into ``module``; every key must be there with its shape and finite values.

    Raises:
        DynasError: naming the first missing, unexpected, misshapen or odd entries.
    """
    own, state = our_names(module.state_dict()), our_names(state)
    missing = [f"'{key}'" for key in own if key not in state]
    unexpected = [f"'{key}'" for key in state if key not in own]
    misshapen = [key for key in own if key in state and state[key].shape != own[key].shape]
    shapes = [f"'{key}' as {tuple(state[key].shape)} instead of {tuple(own[key].shape)}" for key in misshapen]
    findings = {"lacks": missing, "has unexpected": unexpected, "has": shapes}
    faults = [f"{verb} {first_of(entries)}" for verb, entries in findings.items() if entries]
    if faults:
        hint = "" if missing or unexpected else guess(misshapen, len(own))
        raise DynasError(f"the weights of '{origin}' do not fit this supernet: it {'; it '.join(faults)}{hint}")
    odd = [f"'{key}'" for key, value in state.items() if not is_finite(value)]
    if odd:
        raise DynasError(f"the weights of '{origin}' have values that are no finite numbers in {first_of(odd)}")
    module.load_state_dict({key: value.float() for key, value in state.items()}, strict=False)


def first_of(entries: Sequence[str], most: int = 3) -> str:
    """Return the first entries in words, and how many more there are."""
    more = f" and {len(entries) - most} more" if len(entries) > most else ""
    return f"{', '.join(entries[:most])}{more}"


def guess(misshapen: Sequence[str], entries: int) -> str:
    """Return what a checkpoint probably is, of whose entries only the shapes of some are wrong."""
    if all(key.startswith("classifier.") for key in misshapen):
        return "; it seems to be for another number of classes (supernet.classes)"
    if len(misshapen) > entries / 2:
        return "; it seems to be of another width (supernet.width)"
    return ""


def is_finite(value: Tensor) -> bool:
    """Return whether a tensor holds finite real numbers in single precision."""
    return value.is_floating_point() and bool(value.float().isfinite().all())
