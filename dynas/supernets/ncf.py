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

from dynas.core.space import Architecture, Genotypes
from dynas.core.supernet import Supernet
from dynas.data.movielens import WEIGHTS, movielens_file
from dynas.supernets.neumf.network import NeuMF
from dynas.supernets.neumf.shape import Shape, count_dense, count_embeddings, count_macs, search_space
from dynas.supernets.slicing import Sliced
from dynas.supernets.weights.load import load_weights


class ElasticNeuMF(Sliced, NeuMF):
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

    def smaller(self, architecture: Architecture) -> NeuMF:
        """Return a sub-network, whose weights are not looked at."""
        return NeuMF(*self.entities, architecture)

    def view(self, name: str, size: torch.Size, subnet: nn.Module) -> Tensor:
        """Return the part of the largest weights that is a sub-network's parameter of a name and size."""
        weight = self.get_parameter(name)
        if name == "layers.0.weight":  # of user and item, side by side
            user, item = weight[: size[0]].chunk(2, dim=1)
            return torch.cat([user[:, : size[1] // 2], item[:, : size[1] // 2]], dim=1)
        if name == "predict.weight":  # of factors and features
            factors, features = weight.tensor_split([self.gmf_user.embedding_dim], dim=1)
            width = subnet.get_parameter("gmf_user.weight").shape[1]
            return torch.cat([factors[:, :width], features[:, : size[1] - width]], dim=1)
        return super().view(name, size, subnet)

    def forward(self, users: Tensor, items: Tensor, architecture: Architecture | None = None) -> Tensor:
        """Run a sub-network on shared weights, by default the largest (see `NeuMF.forward`)."""
        if architecture is None:
            return super().forward(users, items)
        return self.run(architecture, users, items)


class NcfSupernet(Supernet):
    """The trained supernet that the search draws from.

    Args:
        weights: ``embedded``, ``movielens`` (of `dynas-movielens`), ``random`` (untrained, for training and tests) or a
            path to a checkpoint.
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
        source = str(movielens_file(WEIGHTS)) if weights == "movielens" else weights
        self.weights_digest = load_weights(self.elastic, source, self.name)
        self.elastic.eval()

    def subnet(self, architecture: Architecture) -> NeuMF:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        subnet: NeuMF = self.elastic.static(architecture)
        return subnet

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
