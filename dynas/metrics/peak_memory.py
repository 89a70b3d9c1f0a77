"""Memory that the activations of a sub-network take, as small devices have too little of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynas.core.metric import CountedMetric
from dynas.core.space import Genotypes
from dynas.core.supernet import CountsActivations, Supernet
from dynas.errors import DynasError

BYTES = {"fp32": 4, "int8": 1}


class PeakMemory(CountedMetric):
    """The most kilobytes (1,000 bytes) of activations that are alive at a time, for one input; weights do not count.

    Args:
        precision: what activations are kept in, where sub-networks do not choose.
    """

    def __init__(self, precision: str = "fp32") -> None:
        if precision not in BYTES:
            raise DynasError(f"peak_memory in precision={precision}: choose one of {', '.join(BYTES)}")
        self._bytes = BYTES[precision]

    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.float64]:
        """Return the kilobytes ``(n,)`` of canonical genotypes ``(n, G)``."""
        if not isinstance(supernet, CountsActivations):
            raise DynasError(
                f"objective peak_memory is counted on the graph of a network, and supernet '{supernet.name}' has none: "
                "give supernet=prune, or objectives=[top1,size]"
            )
        return supernet.peak_activations(genotypes) * self._each(supernet, genotypes) / 1000

    def _each(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.int64] | int:
        """Return the bytes of an element: those that all have, or those of each genotype ``(n,)``."""
        if supernet.precision_choices is None:
            return self._bytes
        return np.array([BYTES[str(supernet.space.decode(row)["p"])] for row in genotypes], dtype=np.int64)
