"""What additive models see of options: each of a few, and a few knots that many ordered ones lie between."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.core.space import Genotypes, SearchSpace

KNOTS = 4  # of a gene with many ordered options


class Basis:
    """Features ``K`` of a space: one column for each option, or for each knot where options are many and ordered.

    An option between two knots is told by its shares in both, so that a model of the columns is a broken line of the
    option's place. Where no gene is of that kind, these are the one-hot features.

    Args:
        space: see `SearchSpace.fine` for which genes have many ordered options.

    Attributes:
        genes: the gene of each column ``(K,)``.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._shares = [
            shares(int(count)) if fine else np.eye(int(count))
            for fine, count in zip(space.fine, space.cardinality, strict=True)
        ]
        self.genes: NDArray[np.int64] = np.repeat(np.arange(space.n_genes), [one.shape[1] for one in self._shares])

    def features(self, genotypes: Genotypes) -> Values:
        """Return the features ``(n, K)`` of canonical genotypes ``(n, G)``, all-zero for inactive genes."""
        if not self._space.fine.any():
            return self._space.one_hot(genotypes)
        active = self._space.active(genotypes)
        columns = [share[genotypes[:, gene]] * active[:, gene, None] for gene, share in enumerate(self._shares)]
        return np.concatenate(columns, axis=1)

    def weights(self, models: Values) -> Values:
        """Return the weights ``(M, D)`` of one-hot features that say the same as models ``(M, K)`` of these."""
        if not self._space.fine.any():
            return models
        ends = np.cumsum([share.shape[1] for share in self._shares])[:-1]
        parts = zip(np.split(models, ends, axis=1), self._shares, strict=True)
        return np.concatenate([part @ share.T for part, share in parts], axis=1)


def shares(count: int) -> Values:
    """Return the shares ``(count, KNOTS)`` of evenly spaced knots in ordered options."""
    knots = np.linspace(0, count - 1, KNOTS)
    return np.asarray(np.maximum(1 - np.abs(np.arange(count)[:, None] - knots) / (knots[1] - knots[0]), 0.0))
