"""The formats that a sub-network is exported to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from dynas.errors import DynasError, one_of
from dynas.export import onnx, pytorch, torch_export
from dynas.export.network import Network, Tensors
from dynas.system.extras import install


class Format(Protocol):
    """One way to write a network; a module of this package.

    Attributes:
        FILES: names of the files that it writes.
        PACKAGES: Python packages, beyond those of dynas, without which it cannot be written and tried.
        USE: the line of Python that loads it.
    """

    FILES: tuple[str, ...]
    PACKAGES: tuple[str, ...]
    USE: str

    def save(self, network: Network, folder: Path) -> None:
        """Write the files into a folder.

        Raises:
            DynasError: the network cannot be written in this format.
        """
        ...

    def load(self, folder: Path) -> Callable[[Tensors], Tensors]:
        """Return what the files alone compute: from inputs to outputs."""
        ...


FORMATS: Mapping[str, Format] = {"pytorch": pytorch, "torch_export": torch_export, "onnx": onnx}


def missing(name: str) -> list[str]:
    """Return the packages that a format lacks."""
    return [package for package in FORMATS[name].PACKAGES if find_spec(package) is None]


def install_hint(name: str) -> str:
    """Return what to say of a format whose packages are missing."""
    return f"{name} needs {', '.join(missing(name))}: {install('onnx')}"


def chosen(given: Sequence[str] | None) -> list[str]:
    """Return the formats to write: those given, or all whose packages are installed.

    Raises:
        DynasError: there is no such format, or one that is given lacks a package.
    """
    if given is None:
        return [name for name in FORMATS if not missing(name)]
    for name in given:
        if name not in FORMATS:
            raise one_of("format", name, FORMATS)
        if missing(name):
            raise DynasError(install_hint(name))
    return list(dict.fromkeys(given))
