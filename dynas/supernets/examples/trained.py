"""The weights of the examples, which the package brings."""

from __future__ import annotations

from torch import nn

from dynas.supernets.weights.load import embedded_path
from dynas.supernets.weights.state import read_state


def trained(network: nn.Module, name: str | None) -> nn.Module:
    """Return a network in eval mode, with the embedded weights of a name where one is given.

    Raises:
        DynasError: the weights are missing or do not fit.
    """
    if name is not None:
        network.load_state_dict(read_state(embedded_path(name)), strict=True)
    return network.eval()
