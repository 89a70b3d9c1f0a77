"""A decoder in the words of Hugging Face transformers: what others can read of a sub-network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn


@dataclass(frozen=True)
class Reach:
    """How attention of a layer knows positions.

    Attributes:
        window: tokens that it reaches back, itself included; None: all.
        theta: base of the wave lengths by which pairs of channels turn.
        stretch: by how much slower each pair turns than that says.
    """

    window: int | None
    theta: float
    stretch: tuple[float, ...]


@dataclass(frozen=True)
class Checkpoint:
    """A decoder as config.json and weights.

    Attributes:
        config: content of config.json; where layers differ, with the sizes of the widest of each kind.
        state: the weights by the names that transformers gives them, in single precision.
        groups: key-value heads of each layer; 0: it has no attention.
        per_group: query heads of each of them.
        units: hidden ones of each layer's feed-forward network.
        reaches: what config.json says of each layer's attention, in whatever words.
        scale: factor of attention's scores.
        activation: of the feed-forward networks: ``silu``, ``gelu`` or ``gelu_tanh``.
        companions: what lies beside, such as tokenizer.json, by the names of files.
    """

    config: Mapping[str, Any]
    state: Mapping[str, Tensor]
    groups: tuple[int, ...]
    per_group: int
    units: tuple[int, ...]
    reaches: tuple[Reach, ...]
    scale: float
    activation: str
    companions: Mapping[str, bytes]

    @property
    def alike(self) -> bool:
        """Whether all layers have the same sizes, so that config.json says them."""
        return len(set(self.groups)) == len(set(self.units)) == 1 and self.groups[0] > 0


@runtime_checkable
class PublishesCheckpoints(Protocol):
    """A supernet whose sub-networks are decoders that transformers knows."""

    def checkpoint(self, subnet: nn.Module, padded: bool = False) -> Checkpoint:
        """Return a stand-alone sub-network in the words of transformers.

        Args:
            subnet: as the supernet gives it.
            padded: whether zeros make all layers as wide as the widest, which computes the same.
        """
        ...
