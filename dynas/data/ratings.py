"""Anyone's ratings, purchases or clicks from a table: what was chosen last is held out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dynas.data.interactions.interactions import Interactions, sample_candidates
from dynas.data.interactions.pairs import Ints
from dynas.data.interactions.ratings_file import Ratings, read_ratings
from dynas.errors import DynasError

Pairs = tuple[Ints, Ints]  # users and items (p,)


def ratings(
    path: str | None,
    columns: Sequence[str] | None = None,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    min_rating: float | None = None,
    k_core: int = 5,
    negatives: int = 4,
    seed: int = 0,
) -> Interactions:
    """Return the choices of a table, the latest one of every user with at least two held out.

    Of equal times, and without times, the line further down is the later one; so is the last of several lines of the
    same user and item, the only one that counts.

    Args:
        path: file with a line for each choice.
        columns: names of the columns, where the first line does not hold them.
        user: name of the column of users; None: it is found by its usual names (so are the next three).
        item: name of the column of items.
        rating: name of the column of ratings, if there is one.
        timestamp: name of the column of times, if there is one.
        min_rating: lower ratings are no choices; None: every line is one.
        k_core: users and items with fewer choices are left out until all have as many; 1: none is.
        negatives: sampled items per choice in training.
        seed: decides the items among which the held-out ones are ranked.

    Raises:
        DynasError: a setting or the file is at fault.
    """
    if path is None:
        raise DynasError(
            "give data.path=<CSV or TSV file with columns for user, item and perhaps rating and timestamp>"
        )
    if isinstance(columns, str):
        raise DynasError(f"data.columns={columns}: give a list such as [user,item,rating,timestamp]")
    if k_core < 1:
        raise DynasError(f"data.k_core={k_core}: give 1 or more choices per user and item; 1 leaves out none")
    file = Path(path).expanduser()
    names = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
    everything = in_time(read_ratings(file, columns, names), min_rating, file)
    kept = core(distinct(everything), k_core)
    if not len(kept[0]):
        raise DynasError(f"data.k_core={k_core} leaves none of the choices of '{file}': give a smaller one")
    choices = without_gaps(kept[0]), without_gaps(kept[1])
    training, held_out = leave_latest_out(choices)
    if not len(held_out[0]):
        raise DynasError(f"nobody in '{file}' chose two items, so that none can be held out")
    users, items = (int(side.max()) + 1 for side in choices)
    candidates = sample_candidates(training, held_out, items, seed)
    return Interactions(users, items, *training, held_out[0], candidates, negatives)


def in_time(table: Ratings, min_rating: float | None, file: Path) -> Pairs:
    """Return users and items of the choices, numbered as they first stand in the file, the earliest choice first."""
    chosen = np.ones(len(table.users), dtype=bool)
    if min_rating is not None:
        if table.ratings is None:
            raise DynasError(
                f"data.min_rating={min_rating} needs ratings: name their column in '{file}' by data.rating"
            )
        chosen = table.ratings >= min_rating
        if not chosen.any():
            raise DynasError(f"data.min_rating={min_rating} leaves none of the ratings of '{file}': give a smaller one")
    users, items = numbered(table.users[chosen]), numbered(table.items[chosen])
    if table.times is None:
        return users, items
    order = np.argsort(table.times[chosen], kind="stable")
    return users[order], items[order]


def numbered(labels: pd.Categorical) -> Ints:
    """Return the numbers of ids, from 0 in the order in which they first occur."""
    return pd.factorize(labels)[0].astype(np.int64)  # type: ignore[no-any-return]


def without_gaps(numbers: Ints) -> Ints:
    """Return numbers in the same order that leave out none."""
    compact: Ints = (np.cumsum(np.bincount(numbers) > 0) - 1)[numbers]
    return compact


def last_rows(keys: Ints) -> Ints:
    """Return the rows in which each key occurs for the last time."""
    return np.flatnonzero(~pd.Series(keys).duplicated(keep="last"))


def distinct(pairs: Pairs) -> Pairs:
    """Return every pair once, where it is latest."""
    rows = last_rows(pairs[0] * (pairs[1].max(initial=0) + 1) + pairs[1])
    return pairs[0][rows], pairs[1][rows]


def core(pairs: Pairs, k: int) -> Pairs:
    """Return the largest part in which every user and every item has at least ``k`` pairs; it may be empty."""
    users, items = pairs
    while True:
        kept = (np.bincount(users)[users] >= k) & (np.bincount(items)[items] >= k)
        if kept.all():
            return users, items
        users, items = users[kept], items[kept]


def leave_latest_out(pairs: Pairs) -> tuple[Pairs, Pairs]:
    """Split off the last pair of each user with two or more; the held-out ones are sorted by user."""
    users, items = pairs
    last = last_rows(users)
    last = last[np.bincount(users)[users[last]] >= 2]
    last = last[np.argsort(users[last])]
    return (np.delete(users, last), np.delete(items, last)), (users[last], items[last])
