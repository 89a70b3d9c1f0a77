"""A torch.export program: runs with torch alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from dynas.export.network import Network, Tensors, run, worst_difference

PROGRAM = "model.pt2"
FILES: tuple[str, ...] = (PROGRAM,)
PACKAGES: tuple[str, ...] = ()
EXTRA, TASK, PRECISION = "", "", "fp32"  # for networks of any task
TOLERANCE: float | None = 1e-4
USE = 'torch.export.load("model.pt2").module()'


def refusal(network: Network) -> str | None:
    """Return why a network cannot be written in this format: nothing is known before it is tried."""
    return None


def save(network: Network, folder: Path) -> None:
    """Write the traced network with its weights."""
    torch.export.save(network.program, folder / PROGRAM)


def load(folder: Path) -> Callable[[Tensors], Tensors]:
    """Return the program in the file."""
    return partial(run, torch.export.load(folder / PROGRAM).module())


def difference(network: Network, folder: Path) -> float:
    """Return the largest difference between what files and network compute, as a share of the largest output."""
    return worst_difference(network, load(folder))
