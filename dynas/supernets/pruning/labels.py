"""Labels of the elements of tensors: those that can only be cut together are tied."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

FROZEN = 0  # the label of what cannot be cut


class Labels:
    """Makes and ties labels.

    A label is a number. The labels of a tensor are an integer tensor of its shape, expanded along all dimensions along
    which they are the same: `varying` tells the others.
    """

    def __init__(self) -> None:
        self.count = 1
        self._pairs: list[Tensor] = []

    def fresh(self, *shape: int) -> Tensor:
        """Return new labels, one per element."""
        size = int(np.prod(shape))
        labels = torch.arange(self.count, self.count + size).view(shape)
        self.count += size
        return labels

    def tie(self, some: Tensor, others: Tensor) -> None:
        """Let labels be cut together, element by element; shapes are broadcast."""
        some, others = torch.broadcast_tensors(some, others)  # type: ignore[no-untyped-call]
        for dim in range(some.dim()):
            if not varies(some, dim) and not varies(others, dim):
                some, others = some.narrow(dim, 0, 1), others.narrow(dim, 0, 1)
        pairs = torch.stack([some.reshape(-1), others.reshape(-1)])
        self._pairs.append(pairs[:, pairs[0] != pairs[1]])

    def freeze(self, labels: Tensor) -> None:
        """Let nothing of this be cut."""
        self.tie(labels, frozen(()))

    def tie_along(self, labels: Tensor, *dims: int) -> Tensor:
        """Tie what differs along dimensions only; return the labels of their first places, as large as before."""
        for dim in dims:
            first = labels.narrow(dim, 0, 1).expand_as(labels)
            if varies(labels, dim):
                self.tie(labels, first)
            labels = first
        return labels

    def along(self, labels: Tensor, dim: int) -> Tensor:
        """Tie what differs along all other dimensions; return the labels along one, ``(n,)``."""
        dim %= labels.dim()
        rest = [one for one in range(labels.dim()) if one != dim]
        return self.tie_along(labels, *rest)[tuple(slice(None) if one == dim else 0 for one in range(labels.dim()))]

    def components(self) -> NDArray[np.int64]:
        """Return the number of each label's component; those of one component are cut together."""
        pairs = torch.cat([*self._pairs, torch.zeros(2, 0, dtype=torch.int64)], dim=1).numpy()
        graph = coo_array((np.ones(pairs.shape[1], dtype=bool), (pairs[0], pairs[1])), (self.count, self.count))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def frozen(shape: tuple[int, ...]) -> Tensor:
    """Return the labels of a tensor of which nothing can be cut."""
    return torch.full((1,) * len(shape), FROZEN).expand(shape)


def varies(labels: Tensor, dim: int) -> bool:
    """Return whether labels differ along a dimension."""
    return labels.shape[dim] > 1 and labels.stride(dim) != 0


def varying(labels: Tensor) -> list[int]:
    """Return the dimensions along which labels differ."""
    return [dim for dim in range(labels.dim()) if varies(labels, dim)]


def tidy(labels: Tensor) -> Tensor:
    """Return labels expanded along all dimensions along which they are the same."""
    for dim in varying(labels):
        first = labels.narrow(dim, 0, 1)
        if bool((labels == first).all()):
            labels = first.expand_as(labels)
    return labels
