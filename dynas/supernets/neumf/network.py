"""A stand-alone NeuMF: two views of user and item, one multiplied, one through dense layers, fused into a score."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.core.space import Architecture


class Dense(nn.Linear):
    """A linear layer without first weights: whoever makes the network fills them in."""

    def reset_parameters(self) -> None:
        """Do nothing."""


def table(rows: int, width: int) -> nn.Embedding:
    """Return an embedding table without first weights."""
    return nn.Embedding(rows, width, _weight=torch.empty(rows, width))


class NeuMF(nn.Module):
    """Scores pairs of user and item (He et al. 2017, section 3.4, doi 10.1145/3038912.3052569).

    Args:
        users, items: number of rows of the embedding tables.
        architecture: ``mlp_embed_dim``, ``gmf_embed_dim``, ``mlp_layers`` and ``mlp_hidden``, one width per layer,
            of which those of absent layers are not read.
    """

    def __init__(self, users: int, items: int, architecture: Architecture) -> None:
        super().__init__()
        wide, factors = architecture["mlp_embed_dim"], architecture["gmf_embed_dim"]
        self.mlp_user, self.mlp_item = table(users, wide), table(items, wide)
        self.gmf_user, self.gmf_item = table(users, factors), table(items, factors)
        self.hidden: list[int] = architecture["mlp_hidden"][: architecture["mlp_layers"]]
        self.layers = nn.ModuleList(Dense(before, after) for before, after in pairwise([2 * wide, *self.hidden]))
        self.predict = Dense(factors + self.hidden[-1], 1)

    @property
    def entities(self) -> tuple[int, int]:
        """Number of users and items."""
        return self.gmf_user.num_embeddings, self.gmf_item.num_embeddings

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Return the logits ``(N,)`` that users ``(N,)`` choose items ``(N,)``."""
        x = torch.cat([self.mlp_user(users), self.mlp_item(items)], dim=1)
        for layer in self.layers:
            x = F.relu(layer(x))
        factors = self.gmf_user(users) * self.gmf_item(items)
        return cast(Tensor, self.predict(torch.cat([factors, x], dim=1)))[:, 0]
