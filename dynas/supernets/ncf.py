"""Neural collaborative filtering as a supernet: elastic embeddings, depth and hidden widths of NeuMF.

He et al. 2017 (doi 10.1145/3038912.3052569) for the network, Cummings et al. 2022 (arXiv:2205.10358, Appendix D.5) for
the space. The elastic network is an ordinary NeuMF of the largest architecture; a sub-network's weights are leading
slices of its embeddings and layers, where two inputs are joined: of each one's part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from dynas.core.space import Architecture, Genotypes
from dynas.core.supernet import Supernet
from dynas.supernets.neumf.network import NeuMF
from dynas.supernets.neumf.shape import Shape, count_dense, count_embeddings, count_macs, search_space
from dynas.supernets.weights.load import load_weights


class ElasticNeuMF(NeuMF):
    """The NeuMF of the largest architecture, which runs or cuts out any smaller one."""

    def __init__(self, shape: Shape, largest: Architecture) -> None:
        super().__init__(shape.users, shape.items, largest)
        for name, weight in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(weight)
            elif "user" in name or "item" in name:
                nn.init.normal_(weight, std=0.01)
            else:
                nn.init.xavier_uniform_(weight)

    def leading(self, name: str, size: torch.Size) -> Tensor:
        """Return the leading slice of a size of the largest parameter of a name."""
        return self.get_parameter(name)[tuple(slice(0, length) for length in size)]

    def cut(self, architecture: Architecture) -> tuple[NeuMF, dict[str, Tensor]]:
        """Return a sub-network without weights, and the slices that are its parameters."""
        users, items = self.entities
        with torch.device("meta"):
            subnet = NeuMF(users, items, architecture)
        slices = {name: self.leading(name, part.shape) for name, part in subnet.named_parameters()}
        width, hidden = architecture["mlp_embed_dim"], subnet.hidden
        user, item = self.get_parameter("layers.0.weight")[: hidden[0]].chunk(2, dim=1)
        slices["layers.0.weight"] = torch.cat([user[:, :width], item[:, :width]], dim=1)
        factors, features = self.get_parameter("predict.weight").tensor_split([self.gmf_user.embedding_dim], dim=1)
        parts = [factors[:, : architecture["gmf_embed_dim"]], features[:, : hidden[-1]]]
        slices["predict.weight"] = torch.cat(parts, dim=1)
        return subnet, slices

    def static(self, architecture: Architecture) -> NeuMF:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        subnet, slices = self.cut(architecture)
        copies = {name: part.detach().clone(memory_format=torch.contiguous_format) for name, part in slices.items()}
        subnet.load_state_dict(copies, assign=True)
        return subnet.requires_grad_(True).eval()

    def forward(self, users: Tensor, items: Tensor, architecture: Architecture | None = None) -> Tensor:
        """Run a sub-network on shared weights, by default the largest (see `NeuMF.forward`)."""
        if architecture is None:
            return super().forward(users, items)
        subnet, slices = self.cut(architecture)
        scores: Tensor = functional_call(subnet, slices, (users, items))
        return scores


class NcfSupernet(Supernet):
    """The trained supernet that the search draws from.

    Args:
        weights: ``embedded``, ``random`` (untrained, for training and tests) or a path to a checkpoint.
        users, items, embed_dims, hidden_sizes, layers: see `dynas.supernets.neumf.shape.Shape`.
        seed: seed of the weights where ``weights=random``.
        latency_batch: pairs of user and item that a latency is stated for; None: the hardware's choice.

    Raises:
        DynasError: the weights cannot be read or do not fit, or the shape makes no sense.
    """

    name = "ncf"
    task = "recommendation"

    def __init__(
        self,
        weights: str,
        users: int,
        items: int,
        embed_dims: Sequence[int],
        hidden_sizes: Sequence[int],
        layers: int,
        seed: int = 0,
        latency_batch: int | None = None,
    ) -> None:
        self.shape = Shape(users, items, tuple(embed_dims), tuple(hidden_sizes), layers)
        self.latency_batch = latency_batch
        self.space = search_space(self.shape)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticNeuMF(self.shape, self.space.decode(self.space.largest()))
        self.weights_digest = load_weights(self.elastic, weights, self.name)
        self.elastic.eval()

    def subnet(self, architecture: Architecture) -> NeuMF:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        return self.elastic.static(architecture)

    def example_inputs(self, batch_size: int, subnet: nn.Module | None = None) -> tuple[Tensor, ...]:
        """Return users and items ``(batch_size,)``, seeded random ones."""
        noise = torch.Generator().manual_seed(0)
        users = torch.randint(self.shape.users, (batch_size,), generator=noise)
        return users, torch.randint(self.shape.items, (batch_size,), generator=noise)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates ``(n,)`` for one pair of user and item; look-ups are none."""
        return count_macs(self.shape, genotypes)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters ``(n,)``, embeddings included."""
        return count_dense(self.shape, genotypes) + count_embeddings(self.shape, genotypes)

    def params_without_embeddings(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters ``(n,)`` without the embedding tables."""
        return count_dense(self.shape, genotypes)
