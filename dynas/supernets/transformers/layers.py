"""Attention and blocks of Transformer encoders (Vaswani et al. 2017, arXiv:1706.03762).

Heads keep their size whatever their number, so that a sub-network's weights are leading slices. Shapes: ``N`` samples
of ``T`` tokens.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.supernets.slicing import Linear


def split(x: Tensor, size: int) -> Tensor:
    """Cut ``(N, T, heads * size)`` into heads: ``(N, heads, T, size)``."""
    return x.view(*x.shape[:2], -1, size).transpose(1, 2)


class Attention(nn.Module):
    """Multi-head attention of tokens to each other.

    Args:
        width: of the tokens.
        heads: their number.
        size: channels of a head.
    """

    def __init__(self, width: int, heads: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.query, self.key, self.value = (Linear(width, heads * size) for _ in range(3))
        self.out = Linear(heads * size, width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return ``(N, T, width)``; ``mask`` is added to scores ``(N, heads, T, T)``."""
        query, key, value = (split(project(x), self.size) for project in (self.query, self.key, self.value))
        y: Tensor = self.out(
            F.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(2)
        )
        return y


class RelativeTable(nn.Module):
    """What two patches have to do with each other by the rows and columns between them (Wu et al. 2021, 2107.14222).

    Args:
        distance: rows or columns from which on they count as equally far.
        size: channels of a head.
    """

    def __init__(self, distance: int, size: int) -> None:
        super().__init__()
        self.distance = distance
        self.embeddings_table_v = nn.Parameter(torch.empty(2 * distance + 2, size))
        self.embeddings_table_h = nn.Parameter(torch.empty(2 * distance + 2, size))

    def forward(self, side: int) -> Tensor:
        """Return the embeddings ``(T, T, size)`` of query and key: a class token, then ``side`` rows of patches."""
        place = torch.arange(side * side, device=self.embeddings_table_v.device)
        found = []
        for table, at in ((self.embeddings_table_v, place // side), (self.embeddings_table_h, place % side)):
            apart = (at[None, :] - at[:, None]).clamp(-self.distance, self.distance) + self.distance + 1
            found.append(table[F.pad(apart, (1, 0, 1, 0))])  # the first row is for all pairs with the class token
        return found[0] + found[1]


class RelativeAttention(nn.Module):
    """AutoFormer's attention (Chen et al. 2021, arXiv:2107.00651): one projection, and tables of relative positions.

    Rows of the projection alternate between query, key and value, so that any number of heads is a leading slice of
    them; its biases do not.

    Args:
        width, heads, size: see `Attention`.
        distance: see `RelativeTable`.
    """

    def __init__(self, width: int, heads: int, size: int, distance: int) -> None:
        super().__init__()
        self.size = size
        self.qkv = Linear(width, 3 * heads * size)
        self.rel_pos_embed_k = RelativeTable(distance, size)
        self.rel_pos_embed_v = RelativeTable(distance, size)
        self.proj = Linear(heads * size, width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return ``(N, T, width)`` of a class token and the patches of square images."""
        side = math.isqrt(x.shape[1] - 1)
        rows, bias = F.linear(x, self.qkv.weight).view(*x.shape[:2], -1, 3), self.qkv.bias.view(3, -1)
        query, key, value = (split(rows[..., index] + bias[index], self.size) for index in range(3))
        scores = query @ key.transpose(-1, -2) + torch.einsum("nhqc,qkc->nhqk", query, self.rel_pos_embed_k(side))
        chances = (scores * self.size**-0.5).softmax(dim=-1)
        heads = chances @ value + torch.einsum("nhqk,qkc->nhqc", chances, self.rel_pos_embed_v(side))
        y: Tensor = self.proj(heads.transpose(1, 2).flatten(2))
        return y


class Block(nn.Module):
    """One layer: attention, then a feed-forward network; sub-classes say where the norms are.

    Args:
        attention: of the tokens to each other.
        width: of the tokens.
        units: hidden ones of the feed-forward network.
        epsilon: of the norms.
    """

    def __init__(self, attention: nn.Module, width: int, units: int, epsilon: float) -> None:
        super().__init__()
        self.attention = attention
        self.attention_norm = nn.LayerNorm(width, epsilon)
        self.up, self.down = Linear(width, units), Linear(units, width)
        self.feed_norm = nn.LayerNorm(width, epsilon)

    @abstractmethod
    def attend(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return tokens ``(N, T, width)`` after attention; ``mask`` is added to its scores."""

    @abstractmethod
    def feed(self, x: Tensor) -> Tensor:
        """Return tokens ``(N, T, width)`` after the feed-forward network."""

    def units(self, x: Tensor) -> Tensor:
        """Return what the feed-forward network itself makes of tokens ``(N, T, width)``."""
        y: Tensor = self.down(F.gelu(self.up(x)))
        return y

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return tokens ``(N, T, width)``."""
        return self.feed(self.attend(x, mask))


class PostNorm(Block):
    """BERT's layer: a norm after each residual."""

    def attend(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return tokens ``(N, T, width)`` after attention."""
        y: Tensor = self.attention_norm(x + self.attention(x, mask))
        return y

    def feed(self, x: Tensor) -> Tensor:
        """Return tokens ``(N, T, width)`` after the feed-forward network."""
        y: Tensor = self.feed_norm(x + self.units(x))
        return y


class PreNorm(Block):
    """The vision transformer's layer: a norm before attention and before the feed-forward network."""

    def attend(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return tokens ``(N, T, width)`` after attention."""
        y: Tensor = x + self.attention(self.attention_norm(x), mask)
        return y

    def feed(self, x: Tensor) -> Tensor:
        """Return tokens ``(N, T, width)`` after the feed-forward network."""
        return x + self.units(self.feed_norm(x))


class TwiceNormed(PreNorm):
    """The layer of DyNAS-T's vision transformer: as `PreNorm`, with one more norm after the first residual."""

    def __init__(self, attention: nn.Module, width: int, units: int, epsilon: float) -> None:
        super().__init__(attention, width, units, epsilon)
        self.residual_norm = nn.LayerNorm(width, epsilon)

    def attend(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return tokens ``(N, T, width)`` after attention."""
        y: Tensor = self.residual_norm(super().attend(x, mask))
        return y
