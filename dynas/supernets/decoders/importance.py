"""What of a decoder matters: measured on text, and put first, so that smaller networks keep it.

Units, groups and channels by the mean of their absolute activations (Muralidharan et al. 2024, arXiv:2407.14679);
layers by block influence, one minus the cosine of what goes in and what comes out (Men et al. 2024, arXiv:2403.03853).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.supernets.decoders.layers import Layer
from dynas.supernets.decoders.network import Decoder

BATCH = 8  # texts that are looked at together


@dataclass(frozen=True)
class Importance:
    """How much the parts of a decoder matter, higher is more.

    Attributes:
        layers: ``(layers,)``.
        channels: of the tokens ``(width,)``.
        groups: of each layer ``(layers, groups)``.
        units: of each layer ``(layers, units)``.
    """

    layers: Tensor
    channels: Tensor
    groups: Tensor
    units: Tensor


class Means:
    """Means of what passes through a network, by what they are of."""

    def __init__(self) -> None:
        self.sums: dict[object, Tensor] = {}

    def add(self, key: object, values: Tensor) -> None:
        """Add values ``(N, T, ...)`` of texts that are equally long."""
        self.sums[key] = self.sums.get(key, torch.zeros(())) + values.double().flatten(0, 1).sum(dim=0).cpu()


@torch.inference_mode()
def measure(net: Decoder, texts: Tensor) -> Importance:
    """Return how much the parts of a whole network matter to texts ``(N, T)``."""
    means = Means()
    layers = [layer for layer in net.layers if isinstance(layer, Layer)]
    with watching(net, layers, means):
        for batch in torch.split(texts, BATCH):
            net.tokens(batch)
    count = texts.numel()
    columns = [[means.sums[kind, index] / count for index in range(len(layers))] for kind in ("influence", "o", "down")]
    influence, groups, units = (torch.stack(column) for column in columns)
    return Importance(influence, means.sums["channels"] / count, groups, units)


@contextmanager
def watching(net: Decoder, layers: Sequence[Layer], means: Means) -> Iterator[None]:
    """Take means of what passes through the parts of a network in the block."""
    hooks = []
    for index, layer in enumerate(layers):
        attention = layer.self_attn
        assert attention is not None
        hooks.append(layer.register_forward_hook(_influence(means, index)))
        hooks.append(attention.o_proj.register_forward_pre_hook(_inputs(means, ("o", index), attention.groups)))
        hooks.append(layer.mlp.down_proj.register_forward_pre_hook(_inputs(means, ("down", index), None)))
        for reader in (attention.q_proj, layer.mlp.gate_proj):
            hooks.append(reader.register_forward_pre_hook(_inputs(means, "channels", None)))
    hooks.append(net.norm.register_forward_hook(lambda module, given, x: means.add("channels", x.abs())))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _influence(means: Means, index: int) -> Callable[..., None]:
    def hook(layer: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        means.add(("influence", index), 1 - F.cosine_similarity(given[0], output, dim=-1))

    return hook


def _inputs(means: Means, key: object, groups: int | None) -> Callable[[nn.Module, Any], None]:
    def hook(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        x = given[0].abs()
        means.add(key, x if groups is None else torch.unflatten(x, -1, (groups, -1)).mean(dim=-1))

    return hook


def falling(importance: Tensor) -> Tensor:
    """Return places in order of falling importance."""
    return importance.argsort(descending=True, stable=True)


@torch.no_grad()
def sort_units(net: Decoder, units: Tensor) -> None:
    """Put the hidden units ``(layers, units)`` of feed-forward networks in order; the network computes the same."""
    for layer, own in zip(net.layers, units, strict=True):
        assert isinstance(layer, Layer)
        for reader in (layer.mlp.gate_proj, layer.mlp.up_proj):
            _take_rows(reader, falling(own))
        _take_columns(layer.mlp.down_proj, falling(own))


@torch.no_grad()
def sort_groups(net: Decoder, groups: Tensor) -> None:
    """Put the groups ``(layers, groups)`` of attention in order; the network computes the same."""
    for layer, own in zip(net.layers, groups, strict=True):
        assert isinstance(layer, Layer)
        attention = layer.self_attn
        assert attention is not None
        for reader in (attention.q_proj, attention.k_proj, attention.v_proj):
            _take_rows(reader, _blocks(falling(own), reader.out_features))
        _take_columns(attention.o_proj, _blocks(falling(own), attention.o_proj.in_features))


@torch.no_grad()
def sort_channels(net: Decoder, channels: Tensor) -> None:
    """Put the channels ``(width,)`` of tokens in order; the network computes the same."""
    order = falling(channels)
    net.embed_tokens.weight.copy_(net.embed_tokens.weight[:, order])
    if net.lm_head is not None:
        _take_columns(net.lm_head, order)
    _take(net.norm.weight, order)
    for layer in net.layers:
        assert isinstance(layer, Layer)
        attention, feed = layer.self_attn, layer.mlp
        assert attention is not None
        for reader in (attention.q_proj, attention.k_proj, attention.v_proj, feed.gate_proj, feed.up_proj):
            _take_columns(reader, order)
        for writer in (attention.o_proj, feed.down_proj):
            _take_rows(writer, order)
        for name, weight in layer.named_parameters(recurse=True):
            if name.endswith("layernorm.weight"):
                _take(weight, order)


def _blocks(order: Tensor, size: int) -> Tensor:
    """Return the order of ``size`` rows that lie in equal blocks, from that of the blocks."""
    return torch.arange(size).view(len(order), -1)[order].flatten()


def _take(weight: Tensor, order: Tensor) -> None:
    weight.copy_(weight[order])


def _take_rows(linear: nn.Linear, order: Tensor) -> None:
    _take(linear.weight, order)
    if linear.bias is not None:
        _take(linear.bias, order)


def _take_columns(linear: nn.Linear, order: Tensor) -> None:
    linear.weight.copy_(linear.weight[:, order])
