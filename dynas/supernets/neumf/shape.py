"""The search space of neural collaborative filtering, and what its sub-networks cost: exact MACs and parameters.

Cummings et al. 2022 (arXiv:2205.10358), Appendix D.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynas.core.design import DesignVariable, depth_gates
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError


@dataclass(frozen=True)
class Shape:
    """What the sub-networks are cut from.

    Attributes:
        users, items: number of users and items.
        embed_dims: options of both embedding widths, ascending.
        hidden_sizes: options of each dense layer's width, ascending.
        layers: largest number of dense layers.
    """

    users: int
    items: int
    embed_dims: tuple[int, ...]
    hidden_sizes: tuple[int, ...]
    layers: int

    def __post_init__(self) -> None:
        for name, choices in {"embed_dims": self.embed_dims, "hidden_sizes": self.hidden_sizes}.items():
            if not choices or list(choices) != sorted(set(choices)) or choices[0] < 1:
                raise DynasError(
                    f"supernet.{name}={list(choices)}: give positive numbers in ascending order, such as [8,16,32]"
                )
        if min(self.users, self.items, self.layers) < 1:
            raise DynasError(
                "supernet ncf needs users, items and layers of at least 1, "
                f"got {self.users}, {self.items} and {self.layers}"
            )


def search_space(shape: Shape) -> SearchSpace:
    """Return the space; hidden sizes of absent layers are inactive."""
    return SearchSpace(
        [
            DesignVariable("mlp_embed_dim", shape.embed_dims),
            DesignVariable("gmf_embed_dim", shape.embed_dims),
            DesignVariable("mlp_layers", tuple(range(1, shape.layers + 1))),
            DesignVariable("mlp_hidden", shape.hidden_sizes, shape.layers, depth_gates("mlp_layers", [shape.layers])),
        ]
    )


def widths(shape: Shape, genotypes: Genotypes) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the widths of both embeddings ``(n,)`` and of all layers ``(n, layers)``, 0 where absent."""
    embed, hidden = np.array(shape.embed_dims), np.array(shape.hidden_sizes)
    present = np.arange(shape.layers) <= genotypes[:, 2:3]
    return embed[genotypes[:, 0]], embed[genotypes[:, 1]], hidden[genotypes[:, 3:]] * present


def count_embeddings(shape: Shape, genotypes: Genotypes) -> NDArray[np.int64]:
    """Return the parameters ``(n,)`` of the four embedding tables of genotypes ``(n, G)``."""
    mlp, gmf, _ = widths(shape, genotypes)
    return np.asarray((shape.users + shape.items) * (mlp + gmf))


def count_dense(shape: Shape, genotypes: Genotypes) -> NDArray[np.int64]:
    """Return the parameters ``(n,)`` of the dense layers of genotypes ``(n, G)``."""
    biases = widths(shape, genotypes)[2].sum(axis=1) + 1
    return np.asarray(count_macs(shape, genotypes) + biases)


def count_macs(shape: Shape, genotypes: Genotypes) -> NDArray[np.int64]:
    """Return the multiply-accumulates ``(n,)`` of genotypes ``(n, G)`` for one pair of user and item.

    Counted are the dense layers; neither look-ups of embeddings nor the product of the two factors.
    """
    mlp, gmf, hidden = widths(shape, genotypes)
    inputs = np.column_stack([2 * mlp, hidden[:, :-1]])
    last = hidden[np.arange(len(hidden)), genotypes[:, 2]]
    return np.asarray((inputs * hidden).sum(axis=1) + gmf + last)
