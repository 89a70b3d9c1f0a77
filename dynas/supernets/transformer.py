"""The Transformer as HAT's supernet: elastic widths, heads, depth and reach of the decoder's attention.

Wang et al. 2020 (arXiv:2005.14187). The elastic network is an ordinary Transformer of the largest architecture;
a sub-network is one of smaller sizes whose every weight is the leading slice of the largest one's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.core.space import Architecture, Genotypes
from dynas.core.supernet import Supernet
from dynas.core.translation import EOS, PAD, UNK
from dynas.errors import DynasError
from dynas.supernets.hat.network import Transformer, Translating
from dynas.supernets.hat.shape import Shape, count_embeddings, count_macs, count_params, search_space
from dynas.supernets.slicing import Sliced
from dynas.supernets.weights.load import load_weights


class ElasticTransformer(Sliced, Transformer):
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

    def smaller(self, architecture: Architecture) -> Transformer:
        """Return a sub-network, whose weights are not looked at."""
        return Transformer(self.shape, architecture)

    def view(self, name: str, size: torch.Size, subnet: nn.Module) -> Tensor:
        """Return the slice of the largest weights that is a sub-network's parameter of a name and size."""
        *path, last = name.split(".")
        if last in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
            joint = self.get_parameter(".".join([*path, "in_proj_weight"]))
            return joint.chunk(3)["qkv".index(last[0])][:, : size[1]]
        return super().view(name, size, subnet)

    def forward(self, source: Tensor, previous: Tensor, architecture: Architecture | None = None) -> Tensor:
        """Run a sub-network on shared weights, by default the largest (see `Transformer.forward`)."""
        if architecture is None:
            return super().forward(source, previous)
        return self.run(architecture, source, previous)


class TransformerSupernet(Supernet):
    """The trained supernet that the search draws from.

    Args:
        weights: ``embedded``, ``random`` (untrained, for training and tests) or a path to a checkpoint, which may be
            a public one of HAT.
        source_vocabulary, target_vocabulary, shared_embeddings, embed_dims, ffn_dims, heads, qkv_dim, encoder_layers,
            decoder_layers, max_positions, sentence_length: see `dynas.supernets.hat.shape.Shape`.
        latency_beam: translations of each sentence that a timed decoder step continues.
        seed: seed of the weights where ``weights=random``.
        latency_batch: sentences that a latency is stated for; None: the hardware's choice.

    Raises:
        DynasError: the weights cannot be read or do not fit, or the shape makes no sense.
    """

    name = "transformer"
    task = "translation"
    single_pass = False

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
        latency_batch: int | None = None,
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
        self.latency_beam, self.latency_batch = latency_beam, latency_batch
        self.space = search_space(self.shape)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticTransformer(self.shape, self.space.decode(self.space.largest()))
        self.weights_digest = load_weights(self.elastic, weights, self.name)
        self.elastic.eval()

    def subnet(self, architecture: Architecture) -> Transformer:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        subnet: Transformer = self.elastic.static(architecture)
        return subnet

    def example_inputs(self, batch_size: int, subnet: nn.Module | None = None) -> tuple[Tensor, ...]:
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
