"""Recommenders without training, which a trained one has to beat (Dacrema et al. 2019, doi 10.1145/3298689.3347058)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dynas.data.interactions.interactions import Interactions

ROWS = 1024  # items or users at a time, so that memory stays small


def popularity(data: Interactions) -> NDArray[np.float64]:
    """Return how many users chose each of the candidates ``(n, 1 + negatives)`` in training."""
    return np.bincount(data.training_items, minlength=data.items)[data.candidates].astype(np.float64)


def item_neighbours(data: Interactions, neighbours: int | None = None) -> NDArray[np.float64]:
    """Return the summed cosine similarity of each candidate ``(n, 1 + negatives)`` to what its user chose.

    Sarwar et al. 2001 (doi 10.1145/371920.372071), with choices instead of ratings.

    Args:
        data: items are similar when the same users chose them in training.
        neighbours: a candidate is compared only with this many items that are most similar to it; None: with all.
    """
    ones = np.ones(len(data))
    choices = sparse.csr_matrix((ones, (data.training_users, data.training_items)), shape=(data.users, data.items))
    similar = similarities(choices, neighbours).T.tocsc()  # column: a candidate's neighbours
    scores = np.empty(data.candidates.shape)
    for start in range(0, len(scores), ROWS):
        rows = slice(start, start + ROWS)
        totals = (choices[data.ranked_users[rows]] @ similar).toarray()
        scores[rows] = np.take_along_axis(totals, data.candidates[rows], axis=1)
    return scores


def similarities(choices: sparse.csr_matrix, neighbours: int | None) -> sparse.csr_matrix:
    """Return the cosine similarity ``(items, items)`` of each item to its nearest neighbours, ties included."""
    norms = np.sqrt(np.asarray(choices.sum(axis=0)).ravel())
    units = (choices @ sparse.diags(1 / np.maximum(norms, 1))).tocsc()
    blocks = []
    for start in range(0, choices.shape[1], ROWS):
        block = (units[:, start : start + ROWS].T @ units).toarray()
        own = np.arange(len(block))
        block[own, start + own] = 0
        if neighbours is not None and neighbours < block.shape[1]:
            nearest = np.partition(block, -neighbours, axis=1)[:, -neighbours]
            block[block < nearest[:, None]] = 0
        blocks.append(sparse.csr_matrix(block))
    return sparse.vstack(blocks, format="csr")
