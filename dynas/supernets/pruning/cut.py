"""Which part of each tensor a sub-network has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx

from dynas.supernets.pruning.blocks import Block
from dynas.supernets.pruning.structure import Group, Part, Structure, Units
from dynas.supernets.pruning.trace import shape_of


@dataclass(frozen=True)
class Cut:
    """One sub-network: what stays of a network.

    Attributes:
        structure: what can be cut.
        stays: whether each unit stays ``(units,)``.
        skipped: the blocks that are left out.
    """

    structure: Structure
    stays: NDArray[np.bool_]
    skipped: Sequence[Block]

    @property
    def whole(self) -> bool:
        """Whether everything stays."""
        return bool(self.stays.all()) and not self.skipped

    def places(self, part: Part) -> Tensor | None:
        """Return the places that stay along a dimension of a parameter or buffer; None for all."""
        units = self.structure.places.get(part)
        return None if units is None or self.stays[units].all() else torch.from_numpy(np.flatnonzero(self.stays[units]))

    def sliced(self, name: str, tensor: Tensor) -> Tensor:
        """Return what stays of a parameter or buffer: a copy, or the tensor itself where all stays."""
        for dim in range(tensor.dim()):
            places = self.places((name, dim))
            if places is not None:
                tensor = tensor.index_select(dim, places.to(tensor.device))
        return tensor

    def size(self, node: fx.Node, dim: int) -> int:
        """Return how long a dimension of a node's tensor is."""
        cut, units = self.structure.values.get(node, (None, None))
        return shape_of(node)[dim] if cut != dim or units is None else int(self.stays[units].sum())

    def place(self, node: fx.Node, dim: int, position: int) -> int:
        """Return how many places before a position stay along a dimension of a node's tensor."""
        cut, units = self.structure.values.get(node, (None, None))
        return position if cut != dim or units is None else int(self.stays[units[:position]].sum())

    def zeroed(self, name: str, tensor: Tensor) -> Tensor:
        """Return a copy of a parameter or buffer with zeros in the places that are cut."""
        copy = tensor.clone()
        for dim in range(tensor.dim()):
            units = self.structure.places.get((name, dim))
            if units is not None:
                copy.index_fill_(dim, torch.from_numpy(np.flatnonzero(~self.stays[units])), 0)
        return copy


def make_cut(
    structure: Structure, groups: Sequence[Group], ranks: Sequence[Units], kept: Sequence[int], skipped: Sequence[Block]
) -> Cut:
    """Return the cut that keeps the first units of each group by their ranks."""
    stays = np.ones(structure.unit_count, dtype=bool)
    for group, order, count in zip(groups, ranks, kept, strict=True):
        stays[group.units[order >= count]] = False
    return Cut(structure, stays, skipped)
