"""Layers of decoders: norms, attention with shared keys and values, gated feed-forward networks.

Modules are called as in the files of Hugging Face transformers. Shapes: ``N`` texts of ``T`` tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.supernets.decoders.config import Config
from dynas.supernets.decoders.memory import Memory
from dynas.supernets.decoders.rotary import turned
from dynas.supernets.slicing import Linear

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
}


class Norm(nn.Module):
    """Division by the root of the mean square (Zhang and Sennrich 2019, arXiv:1910.07467).

    Args:
        width: channels.
        epsilon: added to the mean square.
        offset: added to the weights, as Gemma's are kept.
    """

    def __init__(self, width: int, epsilon: float, offset: float) -> None:
        super().__init__()
        self.epsilon, self.offset = epsilon, offset
        self.weight = nn.Parameter(torch.full((width,), 1.0 - offset))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` ``(..., width)`` normed."""
        weight = self.weight + self.offset if self.offset else self.weight
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon) * weight


def norm(config: Config, width: int) -> Norm:
    """Return a norm of a config's kind."""
    return Norm(width, config.epsilon, 1.0 if config.family.gemma else 0.0)


class Attention(nn.Module):
    """Attention of tokens to those before them; the query heads of a group share keys and values.

    Ainslie et al. 2023 (arXiv:2305.13245).

    Args:
        config: the network that it is cut from.
        width: of the tokens.
        groups: how many.
        window: tokens that it reaches back, itself included; None: all.
    """

    def __init__(self, config: Config, width: int, groups: int, window: int | None) -> None:
        super().__init__()
        self.size, self.groups, self.window, self.scale = config.head_size, groups, window, config.scale
        heads = groups * config.per_group
        self.q_proj = Linear(width, heads * self.size, config.query_bias)
        self.k_proj = Linear(width, groups * self.size, config.query_bias)
        self.v_proj = Linear(width, groups * self.size, config.query_bias)
        self.o_proj = Linear(heads * self.size, width, config.out_bias)
        normed = config.family.query_norm
        self.q_norm, self.k_norm = (norm(config, self.size) if normed else nn.Identity() for _ in range(2))

    def heads(self, x: Tensor) -> Tensor:
        """Cut ``(N, T, heads * size)`` into heads: ``(N, T, heads, size)``."""
        return x.view(*x.shape[:2], -1, self.size)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], memory: Memory | None) -> Tensor:
        """Return ``(N, T, width)``; a memory holds keys and values of the tokens before, and takes those of these."""
        query = turned(self.q_norm(self.heads(self.q_proj(x))).transpose(1, 2), turn)
        key = turned(self.k_norm(self.heads(self.k_proj(x))).transpose(1, 2), turn)
        value = self.heads(self.v_proj(x)).transpose(1, 2)
        if memory is not None:
            key, value = memory.extend(key, value, self.window)
        y: Tensor = self.o_proj(self.attend(query, key, value).transpose(1, 2).flatten(2))
        return y

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return what queries ``(N, heads, T, size)`` find among keys ``(N, groups, S, size)``, of which they are last.

        Not more keys are given than the last query may see, so that a single one sees all of them.
        """
        heads, new, seen = query.shape[1], query.shape[2], key.shape[2]
        if new == 1:  # the heads of a group are as many queries of the same keys, which need no copies then
            grouped = query.view(len(query), self.groups, -1, self.size)
            return F.scaled_dot_product_attention(grouped, key, value, scale=self.scale).view_as(query)
        if heads != self.groups:
            key, value = (
                one[:, :, None].expand(-1, -1, heads // self.groups, -1, -1).flatten(1, 2) for one in (key, value)
            )
        if self.window is None and new == seen:
            return F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=self.scale)
        places = torch.arange(seen, device=query.device)
        apart = places[seen - new :, None] - places
        mask = apart >= 0 if self.window is None else (apart >= 0) & (apart < self.window)
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=self.scale)


class FeedForward(nn.Module):
    """A gated feed-forward network (Shazeer 2020, arXiv:2002.05202).

    Args:
        config: the network that it is cut from.
        width: of the tokens.
        units: hidden ones.
    """

    def __init__(self, config: Config, width: int, units: int) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.gate_proj, self.up_proj = (Linear(width, units, config.feed_bias) for _ in range(2))
        self.down_proj = Linear(units, width, config.feed_bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, T, width)``."""
        y: Tensor = self.down_proj(self.activation(self.gate_proj(x)) * self.up_proj(x))
        return y


class Layer(nn.Module):
    """One layer: attention, unless it is skipped, then a feed-forward network.

    Args:
        config: the network that it is cut from.
        index: which of its layers it is.
        width: of the tokens.
        groups: of attention; 0: it is skipped.
        units: hidden ones of the feed-forward network.
    """

    def __init__(self, config: Config, index: int, width: int, groups: int, units: int) -> None:
        super().__init__()
        self.gemma = config.family.gemma
        self.self_attn = Attention(config, width, groups, config.windows[index]) if groups else None
        self.mlp = FeedForward(config, width, units)
        if self.gemma:
            self.pre_feedforward_layernorm, self.post_feedforward_layernorm = norm(config, width), norm(config, width)
        if groups:
            self.input_layernorm = norm(config, width)
        if groups or not self.gemma:  # in Llama's files it stands before the feed-forward network, despite its name
            self.post_attention_layernorm = norm(config, width)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], memory: Memory | None) -> Tensor:
        """Return tokens ``(N, T, width)``."""
        if self.self_attn is not None:
            y = self.self_attn(self.input_layernorm(x), turn, memory)
            x = x + (self.post_attention_layernorm(y) if self.gemma else y)
        if self.gemma:
            y = self.post_feedforward_layernorm(self.mlp(self.pre_feedforward_layernorm(x)))
        else:
            y = self.mlp(self.post_attention_layernorm(x))
        return x.add(y)
