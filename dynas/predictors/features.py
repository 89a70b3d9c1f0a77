"""What predictors see of a sub-network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dynas.core.basis import Basis
from dynas.core.objectives import Values
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import one_of

Featurizer = Callable[[SearchSpace, Genotypes], Values]  # canonical genotypes (n, G) -> features (n, D)
TOTALS = 1.5  # weight of the totals: how much more than single genes they are expected to explain


def one_hot(space: SearchSpace, genotypes: Genotypes) -> Values:
    """Return one column per gene and option (Cummings et al. 2022, section 3.3), all-zero for inactive genes."""
    return space.one_hot(genotypes)


def levels(space: SearchSpace, genotypes: Genotypes) -> Values:
    """Return options, the place of each gene's option, and mean levels of variables and units (`SearchSpace.levels`).

    A penalised model explains by the totals what it can ("kernels are large on average, in the third stage above
    all"), then by places ("the larger the better here", from -1 to 1, 0 where inactive), and leaves to single
    options what is their own, so that ten examples of 180 columns are already worth something. Many ordered options
    are told by a few knots (`Basis`), since each is met too rarely to learn what is its own. Options and places
    are scaled to a length of at most 1 per sub-network each, which makes all three comparable.
    """
    places = np.where(space.active(genotypes), 2 * genotypes / np.maximum(space.cardinality - 1, 1) - 1, 0.0)
    genes = np.concatenate([Basis(space).features(genotypes), places], axis=1) / np.sqrt(space.n_genes)
    return np.concatenate([genes, TOTALS * space.levels(genotypes)], axis=1)


FEATURES: dict[str, Featurizer] = {"one_hot": one_hot, "levels": levels}


def feature_genes(space: SearchSpace, featurize: Featurizer) -> NDArray[np.int64] | None:
    """Return, of each feature ``(D,)``, the gene whose option it tells, or -1; None for a function of one's own."""
    if featurize is one_hot:
        return np.repeat(np.arange(space.n_genes), space.cardinality)
    if featurize is not levels:
        return None
    options = Basis(space).genes
    width = levels(space, space.smallest()[None]).shape[1]
    return np.concatenate([options, np.full(width - len(options), -1)])


def featurizer(features: str | Featurizer) -> Featurizer:
    """Return what predictors see: a key of `FEATURES`, or a function of one's own.

    Raises:
        DynasError: an unknown name.
    """
    if callable(features):
        return features
    if features not in FEATURES:
        raise one_of("mode.features", features, FEATURES)
    return FEATURES[features]
