"""A torch.export program: runs with torch alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from dynas.export.network import Network, Tensors, run

PROGRAM = "model.pt2"
FILES: tuple[str, ...] = (PROGRAM,)
PACKAGES: tuple[str, ...] = ()
USE = 'torch.export.load("model.pt2").module()'


def save(network: Network, folder: Path) -> None:
    """Write the traced network with its weights."""
    torch.export.save(network.program, folder / PROGRAM)


def load(folder: Path) -> Callable[[Tensors], Tensors]:
    """Return the program in the file."""
    return partial(run, torch.export.load(folder / PROGRAM).module())
