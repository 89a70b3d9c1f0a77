"""Draws items that users did not choose, without ever listing them and without rejecting any draw."""

from __future__ import annotations

import numpy as np

from dynas.data.interactions.pairs import Ints


class Unchosen:
    """What is left of the items for each user.

    A user's r-th unchosen item is r plus the number of chosen ones before it, which a binary search finds.

    Args:
        chosen: sorted keys ``(p,)`` of all choices (see `dynas.data.interactions.pairs`).
        users: number of users.
        items: number of items.

    Attributes:
        counts: number of items ``(users,)`` that each user did not choose.
    """

    def __init__(self, chosen: Ints, users: int, items: int) -> None:
        owner, item = np.divmod(chosen, items)
        chosen_by_user = np.bincount(owner, minlength=users)
        self._starts = np.cumsum(chosen_by_user) - chosen_by_user
        self._stride = items + 1
        unchosen_before = item - (np.arange(len(owner)) - self._starts[owner])
        self._keys = owner * self._stride + unchosen_before  # never falls, so that one search serves all users
        self.counts = items - chosen_by_user

    def pick(self, users: Ints, ranks: Ints) -> Ints:
        """Return the unchosen items ``(n,)`` of these ranks, which count from 0 for each of the users ``(n,)``."""
        found = np.searchsorted(self._keys, users * self._stride + ranks, side="right")
        picked: Ints = ranks + found - self._starts[users]
        return picked

    def draw(self, users: Ints, rng: np.random.Generator) -> Ints:
        """Return a random unchosen item for each of the users ``(n,)``; all are equally likely."""
        return self.pick(users, rng.integers(self.counts[users]))

    def distinct(self, users: Ints, size: int, rng: np.random.Generator) -> Ints:
        """Return ``size`` different unchosen items ``(n, size)`` for each of the users; all subsets are equally likely.

        By Floyd's algorithm (Bentley and Floyd 1987, doi 10.1145/30401.315746); each user needs ``size`` items.
        """
        ranks = np.empty((len(users), size), dtype=np.int64)
        for taken in range(size):
            last = self.counts[users] - size + taken
            drawn = rng.integers(last + 1)
            repeated = (ranks[:, :taken] == drawn[:, None]).any(axis=1)
            ranks[:, taken] = np.where(repeated, last, drawn)
        return self.pick(np.repeat(users, size), ranks.ravel()).reshape(ranks.shape)
