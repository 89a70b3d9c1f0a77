"""What predictors see of a sub-network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynas.objectives import Values
from dynas.space import Genotypes, SearchSpace

Describe = Callable[[SearchSpace, Genotypes], Values]  # canonical genotypes (n, G) -> features (n, D)
TOTALS = 1.5  # weight of the totals: how much more than single genes they are expected to explain


def one_hot(space: SearchSpace, genotypes: Genotypes) -> Values:
    """Return one column per gene and option (Cummings et al. 2022, section 3.3), all-zero for inactive genes."""
    return space.one_hot(genotypes)


def levels(space: SearchSpace, genotypes: Genotypes) -> Values:
    """Return `one_hot` and the mean levels of design variables and units (see `SearchSpace.levels`).

    A penalised model explains by the totals what it can ("kernels are large on average, in the third stage above
    all") and leaves to single genes what is their own, so that ten examples of 135 columns are already worth
    something. One-hot columns are scaled to a length of at most 1 per sub-network, which makes both comparable.
    """
    scaled = space.one_hot(genotypes) / np.sqrt(space.n_genes)
    return np.concatenate([scaled, TOTALS * space.levels(genotypes)], axis=1)


FEATURES: dict[str, Describe] = {"one_hot": one_hot, "levels": levels}
