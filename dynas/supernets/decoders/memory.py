"""What a decoder remembers of the tokens that it has read: their keys and values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor


@dataclass
class Memory:
    """Keys and values ``(N, groups, T, size)`` of one layer; None before the first token."""

    keys: Tensor | None = None
    values: Tensor | None = None

    def extend(self, keys: Tensor, values: Tensor, window: int | None) -> tuple[Tensor, Tensor]:
        """Return those of all tokens, the new ones last; what no later token can see is forgotten."""
        if self.keys is not None and self.values is not None:
            keys, values = torch.cat([self.keys, keys], dim=2), torch.cat([self.values, values], dim=2)
        first = 0 if window is None else max(0, keys.shape[2] - window + 1)
        self.keys, self.values = keys[:, :, first:], values[:, :, first:]
        return keys, values


@dataclass
class Memories:
    """What all layers remember.

    Attributes:
        layers: one for each.
        length: tokens that were read.
    """

    layers: list[Memory] = field(default_factory=list)
    length: int = 0

    def copy(self) -> Memories:
        """Return one that can be continued without changing this one."""
        return Memories([replace(one) for one in self.layers], self.length)
