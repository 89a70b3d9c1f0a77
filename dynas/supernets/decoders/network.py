"""A stand-alone decoder, and the largest one that runs or cuts out any smaller one."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.core.space import Architecture
from dynas.supernets.decoders.config import Config
from dynas.supernets.decoders.layers import Layer, norm
from dynas.supernets.decoders.memory import Memories, Memory
from dynas.supernets.decoders.rotary import Turn
from dynas.supernets.decoders.shape import Layers, Shape
from dynas.supernets.slicing import Linear, Sliced

STD = 0.02  # of the first weights


class Decoder(nn.Module):
    """A network that tells which token follows.

    Args:
        config: the network that it is cut from.
        layers: its own sizes.
    """

    def __init__(self, config: Config, layers: Layers) -> None:
        super().__init__()
        self.config, self.sizes = config, layers
        self.embed_tokens = nn.Embedding(
            config.vocabulary, layers.width, _weight=torch.empty(config.vocabulary, layers.width)
        )
        self.layers = nn.ModuleList(
            Layer(config, index, layers.width, groups, units)
            for index, groups, units in zip(layers.kept, layers.groups, layers.units, strict=True)
        )
        rotaries = [config.rotaries[index] for index in layers.kept]
        kinds = list(dict.fromkeys(rotaries))
        self.turns, self.turn_of = nn.ModuleList(map(Turn, kinds)), [kinds.index(one) for one in rotaries]
        self.norm = norm(config, layers.width)
        self.lm_head = None if config.tied else Linear(layers.width, config.vocabulary, bias=False)

    @property
    def vocabulary(self) -> int:
        """Number of tokens that it knows."""
        return self.config.vocabulary

    @property
    def positions(self) -> int:
        """Longest text in tokens."""
        return self.config.positions

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return the logits ``(N, T, vocabulary)`` of what follows each of the tokens ``(N, T)``."""
        return self.logits(self.tokens(input_ids))

    def start(self) -> Memories:
        """Return what it remembers before the first token."""
        return Memories([Memory() for _ in self.layers])

    def decode(self, input_ids: Tensor, memories: Memories) -> Tensor:
        """Continue texts by tokens ``(N, T)``; return the logits ``(N, vocabulary)`` of what follows the last ones."""
        return self.logits(self.tokens(input_ids, memories)[:, -1])

    def tokens(self, input_ids: Tensor, memories: Memories | None = None) -> Tensor:
        """Return the last layer's tokens ``(N, T, width)``, normed; memories hold what came before them."""
        past = memories.length if memories else 0
        positions = torch.arange(past, past + input_ids.shape[1], device=input_ids.device)
        turns = [turn(positions) for turn in self.turns]
        x = self.embed_tokens(input_ids)
        if self.config.embed_scale != 1.0:
            x = x * self.config.embed_scale
        for index, layer in enumerate(self.layers):
            x = layer(x, turns[self.turn_of[index]], memories.layers[index] if memories else None)
        if memories:
            memories.length += input_ids.shape[1]
        y: Tensor = self.norm(x)
        return y

    def logits(self, tokens: Tensor) -> Tensor:
        """Return the logits ``(..., vocabulary)`` of normed tokens ``(..., width)``."""
        return F.linear(tokens, self.embed_tokens.weight if self.lm_head is None else self.lm_head.weight)


class ElasticDecoder(Sliced, Decoder):
    """The whole network, which runs or cuts out any smaller one.

    Args:
        config: its own.
        shape: what is elastic.
        first: whether it gets first weights; else whoever makes it fills them in.
    """

    def __init__(self, config: Config, shape: Shape, first: bool) -> None:
        super().__init__(config, shape.largest())
        self.shape = shape
        for name, weight in self.named_parameters() if first else ():
            if weight.dim() > 1:
                nn.init.normal_(weight, std=STD)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def smaller(self, architecture: Architecture) -> Decoder:
        """Return a sub-network, whose weights are not looked at."""
        return Decoder(self.config, self.shape.of(architecture))

    def view(self, name: str, size: torch.Size, subnet: nn.Module) -> Tensor:
        """Return the part of the largest weights that is a sub-network's parameter of a name and size."""
        assert isinstance(subnet, Decoder)
        kept = subnet.sizes.kept
        return super().view(re.sub(r"^layers\.(\d+)", lambda one: f"layers.{kept[int(one[1])]}", name), size, subnet)

    def forward(self, input_ids: Tensor, architecture: Architecture | None = None) -> Tensor:
        """Run a sub-network on shared weights, by default the largest (see `Decoder.forward`)."""
        if architecture is None:
            return super().forward(input_ids)
        return self.run(architecture, input_ids)
