"""Weights of single sub-networks, which `dynas.supernets.weights.storage.save_weights` wrote."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from dynas.errors import DynasError
from dynas.supernets.weights.state import COUNTERS, read_state


def load_subnet(subnet: nn.Module, path: Path) -> nn.Module:
    """Fill a stand-alone sub-network, in place; return it.

    Raises:
        DynasError: the file cannot be read, or is that of another sub-network.
    """
    own = {name: value for name, value in subnet.state_dict().items() if not name.endswith(COUNTERS)}
    given = read_state(path)
    if {name: value.shape for name, value in own.items()} != {name: value.shape for name, value in given.items()}:
        raise DynasError(f"the weights of '{path}' are not those of this sub-network")
    subnet.load_state_dict({name: value.float() for name, value in given.items()}, strict=False)
    return subnet
