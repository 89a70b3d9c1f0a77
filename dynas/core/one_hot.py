"""Genotypes as one-hot features, and additive models of them: a weight ``w`` for each of the ``D`` features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynas.core.genes import Genes


def one_hot(genes: Genes, genotypes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the features ``(n, D)`` of genotypes ``(n, G)``, all-zero for inactive genes."""
    features = np.zeros((len(genotypes), int(genes.cardinality.sum())))
    rows, active = np.nonzero(genes.active(genotypes))
    features[rows, genes.columns[active] + genes.same[active, genotypes[rows, active]]] = 1.0
    return features


def from_one_hot(genes: Genes, features: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the canonical genotypes ``(n, G)`` of features ``(n, D)``."""
    return np.stack([part.argmax(axis=1) for part in np.split(features, genes.columns[1:], axis=1)], axis=1)


def lightest(genes: Genes, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return genotypes ``(n, G)`` of the least weight in models ``(n, D)``; inactive genes have any option.

    Gated genes are settled before those that gate them, so the minimum is exact.
    """
    n, rows = len(weights), np.arange(len(weights))
    best = np.zeros((n, len(genes)), dtype=np.int64)
    totals = np.full((n, len(genes), int(genes.cardinality.max())), np.inf)
    for gene, (start, count) in enumerate(zip(genes.columns, genes.cardinality, strict=True)):
        totals[:, gene, :count] = weights[:, start + genes.same[gene, :count]]
    for gene in genes.gated_first():
        best[:, gene] = totals[:, gene].argmin(axis=1)
        least = totals[rows, gene, best[:, gene]]
        totals[:, genes.parents[gene]] += np.where(genes.opens[gene], least[:, None], 0.0)
    free = genes.parents < 0
    best[:, free] = totals[:, free].argmin(axis=2)
    return best


def equations(genes: Genes) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the matrix ``(G, D)``, right-hand side ``(G,)`` and upper ends ``(D,)`` of `SearchSpace.equations`."""
    matrix, right = np.zeros((len(genes), int(genes.cardinality.sum()))), np.zeros(len(genes))
    upper: list[float] = []
    for gene, (start, count) in enumerate(zip(genes.columns, genes.cardinality, strict=True)):
        matrix[gene, start : start + count] = 1.0
        upper += [float(first == option) for option, first in enumerate(genes.same[gene, :count])]
        if (parent := int(genes.parents[gene])) < 0:
            right[gene] = 1.0
        else:
            columns = slice(genes.columns[parent], genes.columns[parent] + genes.cardinality[parent])
            matrix[gene, columns] = -genes.opens[gene, : genes.cardinality[parent]].astype(float)
    return matrix, right, np.array(upper)
