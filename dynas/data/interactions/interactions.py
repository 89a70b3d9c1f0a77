"""Which users chose which items: what a recommender is trained on, and what it has to rank."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from dynas.core.recommendation import RecommendationData
from dynas.data.interactions.negatives import Unchosen
from dynas.data.interactions.pairs import Ints, sorted_keys
from dynas.errors import DynasError

CANDIDATES = 99  # items beside the held-out one, as in He et al. 2017


class Interactions(RecommendationData):
    """Data of one recommendation task (see `dynas.core.recommendation.RecommendationData`).

    Training never hears of the held-out items: they may be drawn as negatives, as in He et al. 2017.

    Args:
        users: number of users.
        items: number of items.
        training_users: users ``(p,)`` of the choices that are trained on.
        training_items: their items ``(p,)``.
        ranked_users: users ``(n,)`` of whom an item is held out.
        candidates: items ``(n, 1 + CANDIDATES)``, the held-out one first.
        negatives: sampled items per choice in training, new ones in every epoch.

    Raises:
        DynasError: ``negatives`` is less than 1, or somebody chose every item.
    """

    concurrent = True

    def __init__(
        self,
        users: int,
        items: int,
        training_users: Ints,
        training_items: Ints,
        ranked_users: Ints,
        candidates: Ints,
        negatives: int = 4,
    ) -> None:
        if negatives < 1:
            raise DynasError(f"data.negatives={negatives}: give 1 or more items per choice")
        self.users, self.items = users, items
        self._keys = sorted_keys(training_users, training_items, items)
        self.training_users, self.training_items = np.divmod(self._keys, items)
        self.ranked_users, self.candidates = ranked_users, candidates
        self._negatives = negatives
        if np.bincount(self.training_users).max() == items:
            raise DynasError(
                f"a user chose each of the {items} items, so that there is none to learn the contrast from"
            )
        digest = hashlib.sha256(repr((users, items, self.candidates.shape)).encode())
        for array in (self._keys, ranked_users, candidates):
            digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
        self.digest = digest.hexdigest()

    @cached_property
    def _unchosen(self) -> Unchosen:
        return Unchosen(self._keys, self.users, self.items)

    def __len__(self) -> int:
        """Return the number of choices in training."""
        return len(self.training_users)

    def training_steps(self, batch_size: int) -> int:
        """Return the number of full batches of an epoch."""
        return len(self) * (1 + self._negatives) // batch_size

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield one epoch in random order: all choices, and for each of them items that its user did not choose."""
        users = np.tile(self.training_users, 1 + self._negatives)
        drawn = self._unchosen.draw(users[len(self) :], rng)
        items = np.concatenate([self.training_items, drawn])
        order = rng.permutation(len(users))
        columns = (users[order], items[order], (order < len(self)).astype(np.float32))
        epoch = [torch.from_numpy(column) for column in columns]
        for step in range(self.training_steps(batch_size)):
            rows = slice(step * batch_size, (step + 1) * batch_size)
            yield epoch[0][rows], epoch[1][rows], epoch[2][rows]


def sample_candidates(training: tuple[Ints, Ints], held_out: tuple[Ints, Ints], items: int, seed: int) -> Ints:
    """Return the held-out items, each with `CANDIDATES` others that its user chose neither in training nor last.

    Args:
        training: users and items ``(p,)``.
        held_out: different users and their items ``(n,)``.
        items: number of items.
        seed: decides the others.

    Raises:
        DynasError: there are not enough items.
    """
    users = int(max(training[0].max(), held_out[0].max())) + 1
    chosen_users, chosen_items = (np.concatenate(sides) for sides in zip(training, held_out, strict=True))
    unchosen = Unchosen(sorted_keys(chosen_users, chosen_items, items), users, items)
    fewest = int(unchosen.counts[held_out[0]].min())
    if fewest < CANDIDATES:
        raise DynasError(
            f"a user is left with {fewest} of the {items} items after those that the user chose, but {CANDIDATES} are "
            "needed to rank a held-out item among: give data with more items, or a smaller data.k_core"
        )
    others = unchosen.distinct(held_out[0], CANDIDATES, np.random.default_rng(seed))
    return np.concatenate([held_out[1][:, None], others], axis=1)
