"""The formats that a sub-network is exported to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from dynas.errors import DynasError, one_of
from dynas.export import onnx, onnx_int8, pytorch, torch_export
from dynas.export.gguf import Gguf
from dynas.export.hugging_face import HuggingFace
from dynas.export.network import Network, Tensors
from dynas.export.openvino import OpenVino
from dynas.system.extras import install


class Format(Protocol):
    """One way to write a network; a module of this package.

    Attributes:
        FILES: names of the files and folders that it writes.
        PACKAGES: Python packages, beyond those of dynas, without which it cannot be written and tried.
        EXTRA: what installs them.
        TASK: the task that its networks are made for; empty: any.
        PRECISION: what the files compute in, such as fp32.
        TOLERANCE: how far its outputs may be from the network's; None: quality decides (`dynas.export.quality`).
        USE: the line of Python that loads it.
    """

    FILES: tuple[str, ...]
    PACKAGES: tuple[str, ...]
    EXTRA: str
    TASK: str
    PRECISION: str
    TOLERANCE: float | None
    USE: str

    def refusal(self, network: Network) -> str | None:
        """Return why a network cannot be written in this format; None where nothing is known to be in the way."""
        ...

    def save(self, network: Network, folder: Path) -> None:
        """Write the files into a folder.

        Raises:
            DynasError: the network cannot be written in this format.
        """
        ...

    def load(self, folder: Path) -> Callable[[Tensors], Tensors]:
        """Return what the files alone compute: from inputs to outputs."""
        ...

    def difference(self, network: Network, folder: Path) -> float:
        """Return the largest difference between what files and network compute, as a share of the largest output."""
        ...


ALL = "all"  # what stands for every format
INT8, MEASURED_INT8 = "int8", "openvino_int8"  # the precision, and the format that hardware=openvino measures in it

FORMATS: Mapping[str, Format] = {
    "pytorch": pytorch,
    "torch_export": torch_export,
    "onnx": onnx,
    "openvino": OpenVino("fp32", 1e-4),
    "openvino_int8": OpenVino(INT8, None),
    "onnx_int8": onnx_int8,
    "hugging_face": HuggingFace(padded=False),
    "hugging_face_padded": HuggingFace(padded=True),
    "gguf": Gguf("F16", 2e-3),
    "gguf_q8_0": Gguf("Q8_0", 3e-2),
}


def missing(name: str) -> list[str]:
    """Return the packages that a format lacks."""
    return [package for package in FORMATS[name].PACKAGES if find_spec(package) is None]


def install_hint(name: str) -> str:
    """Return what to say of a format whose packages are missing."""
    return f"{name} needs {', '.join(missing(name))}: {install(FORMATS[name].EXTRA)}"


def named(given: str | None) -> list[str] | None:
    """Return the formats that a list such as ``pytorch,onnx`` names, each once; None where none is given.

    Raises:
        DynasError: there is no such format, or one lacks a package.
    """
    if given is None:
        return None
    names = list(dict.fromkeys(given.split(",")))
    if names == [ALL]:
        return names
    for name in names:
        if name == ALL:
            raise DynasError(f"formats {given}: 'all' stands by itself; give all, or names of formats")
        if name not in FORMATS:
            raise one_of("format", name, [ALL, *FORMATS])
        if missing(name):
            raise DynasError(install_hint(name))
    return names


def chosen(names: Sequence[str] | None, network: Network, precision: str = "fp32") -> tuple[list[str], dict[str, str]]:
    """Return the formats to write, and why others are left out.

    Args:
        names: those that are wanted, or just ``all``; None: those made for such networks in the precision that this
            one was measured in.
        network: what is written.
        precision: what it was measured in.

    Raises:
        DynasError: one that is named cannot take the network.
    """
    if names is None and precision == INT8:
        names = [MEASURED_INT8]
    if names is None or list(names) == [ALL]:
        wanted = list(FORMATS) if names else usual(network)
        reasons = {name: why for name in wanted if (why := hindrance(name, network)) is not None}
        return [name for name in wanted if name not in reasons], reasons
    for name in names:
        if why := hindrance(name, network):
            raise DynasError(why)
    return list(names), {}


def usual(network: Network) -> list[str]:
    """Return the formats made for such networks that are not in INT8."""
    return [
        name for name, form in FORMATS.items() if form.TASK in ("", network.supernet.task) and form.PRECISION != INT8
    ]


def hindrance(name: str, network: Network) -> str | None:
    """Return why a network cannot be written in a format here; None where nothing is known to be in the way."""
    form = FORMATS[name]
    if form.TASK not in ("", network.supernet.task):
        return f"{name} is for networks of {form.TASK}, not for '{network.supernet.name}'"
    if why := form.refusal(network):
        return f"{name} cannot take this network: {why}"
    return install_hint(name) if missing(name) else None
