"""Exact costs of a sub-network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynas.core.metric import CountedMetric
from dynas.core.space import Genotypes
from dynas.core.supernet import Supernet


class Macs(CountedMetric):
    """Multiply-accumulates of convolutions and linear layers for one input."""

    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the MACs ``(n,)`` of canonical genotypes ``(n, G)``."""
        return supernet.macs(genotypes)


class Params(CountedMetric):
    """Parameters of the extracted sub-network."""

    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the number of parameters ``(n,)`` of canonical genotypes ``(n, G)``."""
        return supernet.params(genotypes)


class ParamsWithoutEmbeddings(CountedMetric):
    """Parameters of the extracted sub-network outside embedding tables, which language models often leave out."""

    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the number of parameters ``(n,)`` of canonical genotypes ``(n, G)``."""
        return supernet.params_without_embeddings(genotypes)
