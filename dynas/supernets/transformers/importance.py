"""What matters in a trained encoder: its heads and units in order of importance, and its layers.

Sub-networks keep the first heads and units of a layer, so that a network that was trained alone is put in order first,
which changes none of its outputs. Importance is either the mean absolute activation over texts, or, without texts, the
norm of the map from tokens to tokens that a head or a unit stands for. A layer matters as much as it turns the tokens
(block influence: Men et al. 2024, arXiv:2403.03853).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.supernets.transformers.layers import Attention, Block


@dataclass(frozen=True)
class Importance:
    """How much the parts of one layer matter; higher is more.

    Attributes:
        heads, units: of the parts ``(heads,)`` and ``(units,)``.
        layer: of the layer as a whole; 0 where it is not known.
    """

    heads: Tensor
    units: Tensor
    layer: float = 0.0


def by_weights(layers: Iterable[Block]) -> list[Importance]:
    """Return the importance of each layer's parts by their weights alone."""
    return [Importance(head_norms(attention_of(layer)), unit_norms(layer)) for layer in layers]


def attention_of(layer: Block) -> Attention:
    """Return a layer's attention, whose heads are rows of its matrices."""
    assert isinstance(layer.attention, Attention)
    return layer.attention


@torch.no_grad()
def head_norms(attention: Attention) -> Tensor:
    """Return the Frobenius norm ``(heads,)`` of each head's values times its part of the output's matrix."""
    values = attention.value.weight.view(-1, attention.size, attention.value.in_features)  # (heads, size, width)
    outputs = attention.out.weight.view(attention.out.out_features, -1, attention.size).transpose(
        0, 1
    )  # (heads, width, size)
    norms: Tensor = torch.linalg.matrix_norm(outputs @ values)
    return norms


@torch.no_grad()
def unit_norms(layer: Block) -> Tensor:
    """Return the Frobenius norm ``(units,)`` of each unit's incoming weights times its outgoing ones."""
    norms: Tensor = layer.up.weight.norm(dim=1) * layer.down.weight.norm(dim=0)
    return norms


@torch.no_grad()
def by_activations(net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> list[Importance]:
    """Return the importance of each layer's parts on texts.

    A copy of the network in double precision looks at them, so that the order is the same on every machine.

    Args:
        net: made of layers of `Block`; maps word pieces and mask ``(n, T)`` to logits.
        batches: word pieces and mask, 0 at padding.
    """
    watched = deepcopy(net).double().eval()
    layers = [layer for layer in watched.modules() if isinstance(layer, Block)]
    sums = [Sums() for _ in layers]
    for layer, own in zip(layers, sums, strict=True):
        attention_of(layer).out.register_forward_pre_hook(partial(own.see, "heads"))
        layer.down.register_forward_pre_hook(partial(own.see, "units"))
        layer.register_forward_hook(own.see_turn)
    for pieces, mask in batches:
        for own in sums:
            own.real = mask != 0
        watched(pieces, mask)
    return [own.importance(attention_of(layer).size) for layer, own in zip(layers, sums, strict=True)]


class Sums:
    """What one layer did with all tokens that are no padding."""

    def __init__(self) -> None:
        self.real = torch.tensor([])
        self.channels: dict[str, Tensor | float] = {"heads": 0.0, "units": 0.0}
        self.turn, self.tokens = 0.0, 0

    def see(self, what: str, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Add the absolute inputs ``(n, T, channels)`` of a linear layer."""
        self.channels[what] = self.channels[what] + inputs[0][self.real].abs().sum(dim=0)

    def see_turn(self, module: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        """Add by how much a layer turns each token: 1 less the cosine of what comes in and goes out."""
        alike = F.cosine_similarity(inputs[0][self.real], outputs[self.real], dim=-1)
        self.turn += float((1 - alike).sum())
        self.tokens += len(alike)

    def importance(self, head_size: int) -> Importance:
        """Return the means over all tokens."""
        heads, units = (torch.as_tensor(self.channels[what]) / max(self.tokens, 1) for what in ("heads", "units"))
        return Importance(heads.view(-1, head_size).mean(dim=1), units, self.turn / max(self.tokens, 1))


def put_in_order(layers: Iterable[Block], importance: Sequence[Importance]) -> None:
    """Put the heads and units of trained layers in order, the most important ones first; outputs stay the same."""
    for layer, own in zip(layers, importance, strict=True):
        attention = attention_of(layer)
        heads = own.heads.argsort(descending=True, stable=True)
        channels = (heads[:, None] * attention.size + torch.arange(attention.size)).flatten()
        for project in (attention.query, attention.key, attention.value):
            rearrange(project, rows=channels)
        rearrange(attention.out, columns=channels)
        units = own.units.argsort(descending=True, stable=True)
        rearrange(layer.up, rows=units)
        rearrange(layer.down, columns=units)


@torch.no_grad()
def rearrange(linear: nn.Linear, rows: Tensor | None = None, columns: Tensor | None = None) -> None:
    """Put the outputs or inputs of a linear layer into another order."""
    if rows is not None:
        linear.weight.copy_(linear.weight[rows])
        linear.bias.copy_(linear.bias[rows])
    if columns is not None:
        linear.weight.copy_(linear.weight[:, columns])


def places(importance: Sequence[Importance]) -> tuple[int, ...]:
    """Return each layer's place in the order in which layers are kept: the most important one's is 0."""
    order = sorted(range(len(importance)), key=lambda layer: (-importance[layer].layer, layer))
    return tuple(order.index(layer) for layer in range(len(importance)))
