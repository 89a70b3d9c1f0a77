"""HAT's search space of Transformers, and what its sub-networks cost: exact MACs and parameters.

Wang et al. 2020 (arXiv:2005.14187), space 0 of WMT'14 En-De; genes stand in the order of HAT's own list of 40.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynas.core.design import DesignVariable, depth_gates
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError

ATTENDED = {-1: 1, 1: 2, 2: 3}  # HAT's name of a choice -> number of last encoder layers that are attended to


@dataclass(frozen=True)
class Shape:
    """What the sub-networks are cut from.

    Attributes:
        source_vocabulary, target_vocabulary: number of tokens of each language.
        shared_embeddings: whether one table serves encoder, decoder and output; else encoder and decoder have their
            own, and the decoder's serves the output too.
        embed_dims, ffn_dims, heads: options of the elastic widths and attention heads, ascending.
        qkv_dim: width of queries, keys and values in all heads together, the same for any number of heads.
        encoder_layers: number of encoder layers, the same in all sub-networks.
        decoder_layers: largest number of decoder layers.
        max_positions: longest sentence in tokens.
        sentence_length: tokens of the sentence that costs and latencies are stated for, in both languages.
    """

    source_vocabulary: int
    target_vocabulary: int
    shared_embeddings: bool = True
    embed_dims: tuple[int, ...] = (512, 640)
    ffn_dims: tuple[int, ...] = (1024, 2048, 3072)
    heads: tuple[int, ...] = (4, 8)
    qkv_dim: int = 512
    encoder_layers: int = 6
    decoder_layers: int = 6
    max_positions: int = 1024
    sentence_length: int = 30

    def __post_init__(self) -> None:
        options = (self.embed_dims, self.ffn_dims, self.heads)
        if any(not choices or list(choices) != sorted(set(choices)) for choices in options):
            raise DynasError("supernet transformer needs embed_dims, ffn_dims and heads in ascending order")
        counts = (self.qkv_dim, self.decoder_layers, self.max_positions - 1, self.sentence_length)
        if min(*counts, *(choices[0] for choices in options)) < 1:
            raise DynasError(
                "supernet transformer needs positive numbers for embed_dims, ffn_dims, heads, qkv_dim, decoder_layers, "
                "sentence_length, and max_positions of at least 2"
            )
        if self.encoder_layers < max(ATTENDED.values()):
            raise DynasError(
                f"supernet transformer needs at least {max(ATTENDED.values())} encoder_layers, which the decoder may "
                f"attend to, got {self.encoder_layers}"
            )
        if any(self.qkv_dim % heads for heads in self.heads) or any(dim % 2 for dim in self.embed_dims):
            raise DynasError(
                f"supernet transformer needs even embed_dims and a qkv_dim that all heads divide, "
                f"got embed_dims={list(self.embed_dims)} qkv_dim={self.qkv_dim} heads={list(self.heads)}"
            )
        if min(self.source_vocabulary, self.target_vocabulary) < 5:
            raise DynasError(
                "supernet transformer needs vocabularies of at least 5 tokens, four of which are special, "
                f"got source_vocabulary={self.source_vocabulary} target_vocabulary={self.target_vocabulary}"
            )
        if self.shared_embeddings and self.source_vocabulary != self.target_vocabulary:
            raise DynasError(
                f"supernet transformer has source_vocabulary={self.source_vocabulary} but target_vocabulary="
                f"{self.target_vocabulary}: give shared_embeddings=false, or one vocabulary for both languages"
            )
        if self.sentence_length > self.max_positions:
            raise DynasError(
                f"supernet transformer has sentence_length={self.sentence_length}, "
                f"which is longer than max_positions={self.max_positions}"
            )


def search_space(shape: Shape) -> SearchSpace:
    """Return HAT's space: genes of absent decoder layers are inactive, ``encoder_layers`` has one option."""
    encoder, decoder = shape.encoder_layers, shape.decoder_layers
    gates = depth_gates("decoder_layers", [decoder])
    return SearchSpace(
        [
            DesignVariable("encoder_embed_dim", shape.embed_dims),
            DesignVariable("encoder_layers", (encoder,)),
            DesignVariable("encoder_ffn", shape.ffn_dims, encoder),
            DesignVariable("encoder_heads", shape.heads, encoder),
            DesignVariable("decoder_embed_dim", shape.embed_dims),
            DesignVariable("decoder_layers", tuple(range(1, decoder + 1))),
            DesignVariable("decoder_ffn", shape.ffn_dims, decoder, gates),
            DesignVariable("decoder_self_heads", shape.heads, decoder, gates),
            DesignVariable("decoder_cross_heads", shape.heads, decoder, gates),
            DesignVariable("decoder_attend", tuple(ATTENDED), decoder, gates),
        ]
    )


@dataclass(frozen=True)
class Sizes:
    """The sizes that genotypes choose, as arrays: ``(n, 1)`` widths, ``(n, layers)`` of each layer, 0 where absent."""

    encoder: NDArray[np.int64]
    decoder: NDArray[np.int64]
    encoder_ffn: NDArray[np.int64]
    decoder_ffn: NDArray[np.int64]
    attended: NDArray[np.int64]
    present: NDArray[np.bool_]

    @classmethod
    def of(cls, shape: Shape, genotypes: Genotypes) -> Sizes:
        """Read genotypes ``(n, G)``."""
        e, d = shape.encoder_layers, shape.decoder_layers
        ends = np.cumsum([1, 1, e, e, 1, 1, d, d, d])
        encoder, _, encoder_ffn, _, decoder, depth, decoder_ffn, _, _, attend = np.split(genotypes, ends, axis=1)
        widths, hidden = np.array(shape.embed_dims), np.array(shape.ffn_dims)
        present = np.arange(d) <= depth
        attended = np.array(list(ATTENDED.values()))[attend]
        return cls(
            widths[encoder], widths[decoder], hidden[encoder_ffn], hidden[decoder_ffn] * present, attended, present
        )


def count_params(shape: Shape, genotypes: Genotypes) -> NDArray[np.int64]:
    """Return the parameters ``(n,)`` of genotypes ``(n, G)`` without the embedding tables, as HAT counts them."""
    sizes, qkv = Sizes.of(shape, genotypes), shape.qkv_dim
    encoder, decoder = sizes.encoder, sizes.decoder
    own = 4 * qkv * encoder + 3 * qkv + encoder  # self-attention
    feed = sizes.encoder_ffn * (2 * encoder + 1) + encoder
    layers = (own + feed + 4 * encoder).sum(axis=1)
    own = 4 * qkv * decoder + 3 * qkv + decoder
    cross = 2 * qkv * (encoder + decoder) + 3 * qkv + decoder
    feed = sizes.decoder_ffn * (2 * decoder + 1) + decoder
    return np.asarray(layers + ((own + cross + feed + 6 * decoder) * sizes.present).sum(axis=1))


def count_embeddings(shape: Shape, genotypes: Genotypes) -> NDArray[np.int64]:
    """Return the parameters ``(n,)`` of the embedding tables of genotypes ``(n, G)``.

    A shared table is as wide as the wider of encoder and decoder. (HAT states ``vocabulary * decoder width``, which
    leaves out columns that only the encoder reads.)
    """
    sizes = Sizes.of(shape, genotypes)
    if shape.shared_embeddings:
        return np.asarray(shape.target_vocabulary * np.maximum(sizes.encoder, sizes.decoder)[:, 0])
    return np.asarray((shape.source_vocabulary * sizes.encoder + shape.target_vocabulary * sizes.decoder)[:, 0])


def count_macs(shape: Shape, genotypes: Genotypes) -> NDArray[np.int64]:
    """Return the multiply-accumulates ``(n,)`` of genotypes ``(n, G)`` for one sentence and its translation.

    Both have ``shape.sentence_length`` tokens and the decoder sees all of its tokens at once. Counted are all matrix
    products: linear layers, the two of each attention and the output layer; not norms, scaling or softmax.
    """
    sizes, qkv, tokens = Sizes.of(shape, genotypes), shape.qkv_dim, shape.sentence_length
    encoder, decoder = sizes.encoder, sizes.decoder
    layers = (2 * encoder * sizes.encoder_ffn + 4 * qkv * encoder + 2 * tokens * qkv).sum(axis=1)
    own = 4 * qkv * decoder + 2 * tokens * qkv
    cross = 2 * qkv * decoder + sizes.attended * (2 * qkv * encoder + 2 * tokens * qkv)
    layers += ((own + cross + 2 * decoder * sizes.decoder_ffn) * sizes.present).sum(axis=1)
    return np.asarray(tokens * (layers + decoder[:, 0] * shape.target_vocabulary))
