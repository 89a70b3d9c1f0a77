"""A stand-alone Transformer that translates: encoder, decoder and how its latency is taken."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.core.space import Architecture
from dynas.core.translation import PAD
from dynas.supernets.hat.layers import Cache, DecoderLayer, DecoderState, EncoderLayer, Memory, Positions
from dynas.supernets.hat.shape import ATTENDED, Shape


@dataclass(frozen=True)
class Encoded:
    """What the encoder makes of source sentences.

    Attributes:
        layers: outputs ``(N, S, width)`` of its last layers, the very last one first.
        seen: ``(N, S)``, False at padding.
    """

    layers: tuple[Tensor, ...]
    seen: Tensor


class Encoder(nn.Module):
    """Embeds source tokens and runs the encoder layers."""

    def __init__(self, shape: Shape, architecture: Architecture, tokens: nn.Embedding) -> None:
        super().__init__()
        self.width = architecture["encoder_embed_dim"]
        self.embed_tokens = tokens
        self.embed_positions = Positions(shape.max_positions, shape.embed_dims[-1], self.width)
        layers = zip(architecture["encoder_heads"], architecture["encoder_ffn"], strict=True)
        self.layers = nn.ModuleList(EncoderLayer(self.width, shape.qkv_dim, heads, ffn) for heads, ffn in layers)

    def forward(self, source: Tensor) -> Encoded:
        """Encode ``source`` ``(N, S)``, padded on any side."""
        seen = source != PAD
        x = math.sqrt(self.width) * self.embed_tokens(source)[..., : self.width] + self.embed_positions(source)
        outputs: list[Tensor] = []
        for layer in self.layers:
            x = layer(x, seen[:, None, None])
            outputs.append(x)
        return Encoded(tuple(outputs[: -1 - max(ATTENDED.values()) : -1]), seen)


class Decoder(nn.Module):
    """Embeds target tokens, runs the decoder layers and scores the next token by the same embeddings."""

    def __init__(self, shape: Shape, architecture: Architecture, tokens: nn.Embedding) -> None:
        super().__init__()
        self.width = architecture["decoder_embed_dim"]
        self.embed_tokens = tokens
        self.embed_positions = Positions(shape.max_positions, shape.embed_dims[-1], self.width)
        depth = architecture["decoder_layers"]
        names = ("decoder_self_heads", "decoder_cross_heads", "decoder_ffn")
        layers = zip(*(architecture[name][:depth] for name in names), strict=True)
        memory, qkv = architecture["encoder_embed_dim"], shape.qkv_dim
        self.layers = nn.ModuleList(DecoderLayer(self.width, memory, qkv, *sizes) for sizes in layers)
        self.attended = [ATTENDED[choice] for choice in architecture["decoder_attend"][:depth]]

    def prepare(self, memory: Encoded) -> DecoderState:
        """Return the state before the first token: each layer's keys and values of what it attends to."""
        caches = []
        for layer, attended in zip(self.layers, self.attended, strict=True):
            assert isinstance(layer, DecoderLayer)
            keys_values = layer.encoder_attn.keys_values(torch.cat(memory.layers[:attended], dim=1))
            caches.append(Cache(Memory.of(keys_values, memory.seen.repeat(1, attended))))
        return DecoderState(caches)

    def forward(self, tokens: Tensor, state: DecoderState) -> Tensor:
        """Return logits ``(N * B, T, target vocabulary)`` of what follows each of ``tokens`` ``(N * B, T)``."""
        new, past = tokens.shape[1], state.length
        positions = self.embed_positions(tokens, past)
        x = math.sqrt(self.width) * self.embed_tokens(tokens)[..., : self.width] + positions
        causal = None if new == 1 else torch.ones(new, past + new, dtype=torch.bool, device=x.device).tril(past)
        for layer, cache in zip(self.layers, state.caches, strict=True):
            x = layer(x, cache, causal)
        state.length += new
        return F.linear(x, self.embed_tokens.weight[:, : self.width])


def embedding(tokens: int, width: int) -> nn.Embedding:
    """Return an embedding table without first weights."""
    return nn.Embedding(tokens, width, PAD, _weight=torch.empty(tokens, width))


class Transformer(nn.Module):
    """A stand-alone Transformer of one architecture, whose weights are still to be filled in."""

    def __init__(self, shape: Shape, architecture: Architecture) -> None:
        super().__init__()
        self.shape = shape
        encoder, decoder = architecture["encoder_embed_dim"], architecture["decoder_embed_dim"]
        if shape.shared_embeddings:
            source = target = embedding(shape.target_vocabulary, max(encoder, decoder))
        else:
            source = embedding(shape.source_vocabulary, encoder)
            target = embedding(shape.target_vocabulary, decoder)
        self.encoder = Encoder(shape, architecture, source)
        self.decoder = Decoder(shape, architecture, target)

    @property
    def vocabularies(self) -> tuple[int, int]:
        """Number of tokens of source and target language."""
        return self.shape.source_vocabulary, self.shape.target_vocabulary

    @property
    def max_positions(self) -> int:
        """Longest sentence in tokens."""
        return self.shape.max_positions

    def forward(self, source: Tensor, previous: Tensor) -> Tensor:
        """Return logits ``(N, T, target vocabulary)`` of what follows each token of ``previous`` ``(N, T)``.

        Args:
            source: source sentences ``(N, S)`` that end with EOS, padded on any side.
            previous: EOS, then the translations, padded on the right.
        """
        return self.decode(previous, self.encode(source))

    def encode(self, source: Tensor) -> DecoderState:
        """Read ``source`` ``(N, S)`` and return the decoder's state before the first token."""
        state: DecoderState = self.decoder.prepare(self.encoder(source))
        return state

    def decode(self, tokens: Tensor, state: DecoderState) -> Tensor:
        """Continue translations by ``tokens`` ``(N * B, T)`` and return logits ``(N * B, T, target vocabulary)``.

        The first time these are EOS; the state remembers what came before. ``B`` may change between calls by
        `DecoderState.reorder`.
        """
        logits: Tensor = self.decoder(tokens, state)
        return logits


class Translating(nn.Module):
    """What a latency of translation times: the encoder, then one decoder step after the other.

    The tokens are given, so that the number of steps does not depend on what the weights say. As in HAT's
    measurements, every step serves all beams of a sentence, which stay in their order.
    """

    def __init__(self, subnet: nn.Module, beam: int) -> None:
        super().__init__()
        self.subnet = subnet
        self.beam = beam

    def forward(self, source: Tensor, previous: Tensor) -> Tensor:
        """Return the logits of the last step ``(N * beam, 1, target vocabulary)``."""
        assert isinstance(self.subnet, Transformer)
        state = self.subnet.encode(source)
        for tokens in previous.repeat_interleave(self.beam, dim=0).unbind(dim=1):
            logits = self.subnet.decode(tokens[:, None], state)
        return logits
