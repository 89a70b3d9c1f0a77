"""In which order the units of a group are kept: those with the largest weights first.

The L1 norm of a filter as in Li et al. 2017 (arXiv:1608.08710), summed over all layers that a unit is part of, those
that read it included.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dynas.supernets.pruning.structure import Group, Units


def l1_norms(
    group: Group, places: Mapping[tuple[str, int], Units], tensors: Mapping[str, Tensor]
) -> NDArray[np.float64]:
    """Return the sum of absolute weights of each unit ``(n,)``, of all kernels and matrices that it is part of."""
    sums = np.zeros(len(group.units))
    for name, dim in group.parts:
        tensor = tensors[name]
        if tensor.dim() > 1:
            rest = [one for one in range(tensor.dim()) if one != dim]
            norms = tensor.detach().double().abs().sum(rest).numpy()
            inside = np.isin(places[name, dim], group.units)
            np.add.at(sums, np.searchsorted(group.units, places[name, dim][inside]), norms[inside])
    return sums


def ranks(norms: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rank of each unit ``(n,)``: 0 for the one that is kept longest; of equals, the first."""
    order = np.argsort(-norms, kind="stable")
    found = np.empty(len(norms), dtype=np.int64)
    found[order] = np.arange(len(norms))
    return found
