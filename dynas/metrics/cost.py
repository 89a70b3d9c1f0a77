"""Exact costs of a sub-network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynas.core.space import Genotypes
from dynas.core.supernet import Supernet


class Macs:
    """Multiply-accumulates of convolutions and linear layers for one input."""

    exact = True

    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the MACs ``(n,)`` of canonical genotypes ``(n, G)``."""
        return supernet.macs(genotypes)


class Params:
    """Parameters of the extracted sub-network."""

    exact = True

    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the number of parameters ``(n,)`` of canonical genotypes ``(n, G)``."""
        return supernet.params(genotypes)


class ParamsWithoutEmbeddings:
    """Parameters of the extracted sub-network outside embedding tables, which language models often leave out."""

    exact = True

    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the number of parameters ``(n,)`` of canonical genotypes ``(n, G)``.

        A supernet with embeddings says so by a method ``params_without_embeddings``.
        """
        counted: NDArray[np.int64] = getattr(supernet, "params_without_embeddings", supernet.params)(genotypes)
        return counted
