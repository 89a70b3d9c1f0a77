"""The Transformer as HAT's supernet: elastic widths, heads, depth and reach of the decoder's attention.

Wang et al. 2020 (arXiv:2005.14187). The elastic network is an ordinary Transformer of the largest architecture;
a sub-network is one of smaller sizes whose every weight is the leading slice of the largest one's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from dynas.data.translation_base import EOS, PAD, UNK
from dynas.errors import DynasError
from dynas.space import Architecture, Genotypes
from dynas.supernets.transformer_layers import Cache, DecoderLayer, DecoderState, EncoderLayer, Positions
from dynas.supernets.transformer_shape import (
    ATTENDED,
    Shape,
    count_embeddings,
    count_macs,
    count_params,
    search_space,
)
from dynas.supernets.weights import load_weights


@dataclass(frozen=True)
class Memory:
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

    def forward(self, source: Tensor) -> Memory:
        """Encode ``source`` ``(N, S)``, padded on any side."""
        seen = source != PAD
        x = math.sqrt(self.width) * self.embed_tokens(source)[..., : self.width] + self.embed_positions(source)
        outputs: list[Tensor] = []
        for layer in self.layers:
            x = layer(x, seen[:, None, None])
            outputs.append(x)
        return Memory(tuple(outputs[: -1 - max(ATTENDED.values()) : -1]), seen)


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

    def prepare(self, memory: Memory) -> DecoderState:
        """Return the state before the first token: each layer's keys and values of what it attends to."""
        caches = []
        for layer, attended in zip(self.layers, self.attended, strict=True):
            assert isinstance(layer, DecoderLayer)
            keys_values = layer.encoder_attn.keys_values(torch.cat(memory.layers[:attended], dim=1))
            caches.append(Cache(keys_values, memory.seen.repeat(1, attended)[:, None, None]))
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


class ElasticTransformer(Transformer):
    """The Transformer of the largest architecture, which runs or cuts out any smaller one."""

    def __init__(self, shape: Shape, largest: Architecture) -> None:
        super().__init__(shape, largest)
        for part in (self.encoder, self.decoder):  # what a fairseq checkpoint holds besides the weights
            part.register_buffer("version", torch.tensor([3.0]))
            part.embed_positions.register_buffer("_float_tensor", torch.zeros(1))
        for name, weight in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(weight)
            elif name.endswith("embed_tokens.weight"):
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
                nn.init.zeros_(weight[PAD])
            elif weight.dim() == 2:
                nn.init.xavier_uniform_(weight)

    def view(self, name: str, size: torch.Size) -> Tensor:
        """Return the slice of the largest weights that is a sub-network's parameter of a name and size."""
        *path, last = name.split(".")
        if last in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
            joint = self.get_parameter(".".join([*path, "in_proj_weight"]))
            return joint.chunk(3)["qkv".index(last[0])][:, : size[1]]
        return self.get_parameter(name)[tuple(slice(0, length) for length in size)]

    def cut(self, architecture: Architecture) -> tuple[Transformer, dict[str, Tensor]]:
        """Return a sub-network without weights and the views that are its parameters."""
        with torch.device("meta"):
            subnet = Transformer(self.shape, architecture)
        return subnet, {name: self.view(name, part.shape) for name, part in subnet.named_parameters()}

    def static(self, architecture: Architecture) -> Transformer:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        subnet, views = self.cut(architecture)
        for name, view in views.items():
            path, _, last = name.rpartition(".")
            setattr(
                subnet.get_submodule(path),
                last,
                nn.Parameter(view.detach().clone(memory_format=torch.contiguous_format)),
            )
        return subnet.eval()

    def forward(self, source: Tensor, previous: Tensor, architecture: Architecture | None = None) -> Tensor:
        """Run a sub-network on shared weights, by default the largest (see `Transformer.forward`)."""
        if architecture is None:
            return super().forward(source, previous)
        subnet, views = self.cut(architecture)
        logits: Tensor = functional_call(subnet.train(self.training), views, (source, previous))
        return logits


class TransformerSupernet:
    """The trained supernet that the search draws from (see `dynas.supernets.base.Supernet`).

    Args:
        weights: ``embedded``, ``random`` (untrained, for training and tests) or a path to a checkpoint, which may be
            a public one of HAT.
        source_vocabulary, target_vocabulary, shared_embeddings, embed_dims, ffn_dims, heads, qkv_dim, encoder_layers,
            decoder_layers, max_positions, sentence_length: see `dynas.supernets.transformer_shape.Shape`.
        latency_beam: translations of each sentence that a timed decoder step continues.
        seed: seed of the weights where ``weights=random``.

    Raises:
        DynasError: the weights cannot be read or do not fit, or the shape makes no sense.
    """

    name = "transformer"

    def __init__(
        self,
        weights: str,
        source_vocabulary: int,
        target_vocabulary: int,
        shared_embeddings: bool,
        embed_dims: Sequence[int],
        ffn_dims: Sequence[int],
        heads: Sequence[int],
        qkv_dim: int,
        encoder_layers: int,
        decoder_layers: int,
        max_positions: int,
        sentence_length: int,
        latency_beam: int,
        seed: int = 0,
    ) -> None:
        self.shape = Shape(
            source_vocabulary,
            target_vocabulary,
            shared_embeddings,
            tuple(embed_dims),
            tuple(ffn_dims),
            tuple(heads),
            qkv_dim,
            encoder_layers,
            decoder_layers,
            max_positions,
            sentence_length,
        )
        if latency_beam < 1:
            raise DynasError(f"supernet transformer needs latency_beam >= 1, got {latency_beam}")
        self.latency_beam = latency_beam
        self.space = search_space(self.shape)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticTransformer(self.shape, self.space.decode(self.space.largest()))
        self.weights_digest = load_weights(self.elastic, weights, self.name)
        self.elastic.eval()

    def subnet(self, architecture: Architecture) -> Transformer:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        return self.elastic.static(architecture)

    def example_inputs(self, batch_size: int) -> tuple[Tensor, ...]:
        """Return source and previous tokens ``(batch_size, sentence_length)``, seeded noise between special tokens."""
        noise = torch.Generator().manual_seed(0)
        shape = (batch_size, self.shape.sentence_length)
        source = torch.randint(UNK + 1, self.shape.source_vocabulary, shape, generator=noise)
        previous = torch.randint(UNK + 1, self.shape.target_vocabulary, shape, generator=noise)
        source[:, -1] = previous[:, 0] = EOS
        return source, previous

    def timed(self, subnet: nn.Module) -> nn.Module:
        """Return what a latency times of a sub-network: encoding, then decoding token by token."""
        return Translating(subnet, self.latency_beam)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates ``(n,)`` for one sentence and its translation, all tokens at once."""
        return count_macs(self.shape, genotypes)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters ``(n,)``, embeddings included."""
        return count_params(self.shape, genotypes) + count_embeddings(self.shape, genotypes)

    def params_without_embeddings(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters ``(n,)`` without the embedding tables, HAT's measure of size."""
        return count_params(self.shape, genotypes)
