"""Bytes of a sub-network's weights as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from dynas.core.metric import MeasuredMetric, Reading
from dynas.core.supernet import StoresWeights

if TYPE_CHECKING:
    from dynas.core.bench import Bench


class Size(MeasuredMetric):
    """Megabytes (10^6 bytes) of weights, counted on the very network that is measured.

    A network that runs outside torch says its number of bytes (`dynas.core.supernet.StoresWeights`).
    """

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Add up what each sub-network stores."""
        return [Reading(weight_bytes(subnet) / 1e6) for subnet in subnets]


def weight_bytes(subnet: nn.Module) -> int:
    """Return the bytes of a network's parameters and buffers."""
    if isinstance(subnet, StoresWeights):
        return subnet.weight_bytes
    return sum(tensor.nbytes for tensor in (*subnet.parameters(), *subnet.buffers()))
