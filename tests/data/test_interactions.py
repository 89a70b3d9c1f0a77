"""What a recommender is trained on and ranks: drawn fairly, never what a user chose."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas.data.interactions.interactions import CANDIDATES, Interactions, sample_candidates
from dynas.data.interactions.negatives import Unchosen
from dynas.data.interactions.pairs import sorted_keys
from dynas.data.movielens import movielens
from dynas.errors import DynasError


@pytest.fixture(scope="module")
def data() -> Interactions:
    return movielens()


@st.composite
def chosen(draw: st.DrawFn) -> tuple[int, int, set[tuple[int, int]]]:
    users, items = draw(st.integers(1, 5)), draw(st.integers(2, 7))
    return users, items, draw(st.sets(st.tuples(st.integers(0, users - 1), st.integers(0, items - 1)), min_size=1))


@given(chosen())
def test_the_unchosen_items_are_exactly_those_that_a_user_did_not_choose(
    case: tuple[int, int, set[tuple[int, int]]],
) -> None:
    users, items, pairs = case
    columns = np.array(sorted(pairs), dtype=np.int64).T
    unchosen = Unchosen(sorted_keys(columns[0], columns[1], items), users, items)
    for user in range(users):
        count = unchosen.counts[user]
        left = [item for item in range(items) if (user, item) not in pairs]
        assert unchosen.pick(np.full(count, user), np.arange(count)).tolist() == left


def test_every_subset_of_the_unchosen_items_is_equally_likely() -> None:
    unchosen = Unchosen(sorted_keys(np.array([1, 0, 0]), np.array([0, 4, 1]), 7), 2, 7)
    drawn = unchosen.distinct(np.zeros(20_000, dtype=np.int64), 3, np.random.default_rng(0))
    counts = Counter(tuple(sorted(row)) for row in drawn.tolist())
    assert set(counts) == set(combinations([0, 2, 3, 5, 6], 3))
    assert max(abs(count - 2000) for count in counts.values()) < 5 * np.sqrt(2000 * 0.9)
    single = Counter(unchosen.draw(np.zeros(20_000, dtype=np.int64), np.random.default_rng(0)).tolist())
    assert set(single) == {0, 2, 3, 5, 6}
    assert max(abs(count - 4000) for count in single.values()) < 5 * np.sqrt(4000 * 0.8)


@given(st.integers(0, 2**32), st.integers(0, 4))
def test_candidates_are_different_items_that_the_user_did_not_choose(seed: int, spare: int) -> None:
    rng = np.random.default_rng(seed)
    users, most = 4, 9
    items = CANDIDATES + most + 1 + spare  # the busiest user is left with just enough
    pairs = [(user, item) for user in range(users) for item in rng.permutation(items)[: most - user].tolist()]
    training = np.array(pairs, dtype=np.int64).T
    known: dict[int, set[int]] = {user: {item for other, item in pairs if other == user} for user in range(users)}
    last = np.array([next(item for item in rng.permutation(items) if item not in known[user]) for user in range(users)])
    candidates = sample_candidates((training[0], training[1]), (np.arange(users), last), items, seed)
    assert candidates[:, 0].tolist() == last.tolist()
    for user, row in enumerate(candidates.tolist()):
        assert len(set(row)) == 1 + CANDIDATES
        assert not known[user] & set(row)
        assert 0 <= min(row) <= max(row) < items
    again = sample_candidates((training[0], training[1]), (np.arange(users), last), items, seed)
    np.testing.assert_array_equal(candidates, again)


def keys(data: Interactions, users: object, items: object) -> np.ndarray:
    """A number for each pair."""
    return np.asarray(users) * data.items + np.asarray(items)


def test_an_epoch_holds_every_choice_once_and_fresh_negatives(data: Interactions) -> None:
    rng = np.random.default_rng(0)
    size = len(data)  # five batches without a rest
    positives = keys(data, data.training_users, data.training_items)
    negatives = []
    for _ in range(2):
        epoch = list(data.training_batches(size, rng))
        assert len(epoch) == data.training_steps(size) == 5
        users, items, labels = (np.concatenate([np.asarray(batch[column]) for batch in epoch]) for column in range(3))
        assert (users.dtype, items.dtype, labels.dtype) == (np.int64, np.int64, np.float32)
        is_chosen = labels == 1
        assert set(labels.tolist()) == {0.0, 1.0}
        np.testing.assert_array_equal(np.sort(keys(data, users, items)[is_chosen]), np.sort(positives))
        drawn = keys(data, users, items)[~is_chosen]
        assert not np.isin(drawn, positives).any()
        assert (items.min(), items.max()) == (0, data.items - 1)
        four_each = 4 * np.bincount(users[is_chosen])
        np.testing.assert_array_equal(np.bincount(users[~is_chosen]), four_each)
        negatives.append(drawn)
    assert np.isin(negatives[0], negatives[1]).mean() < 0.5, "drawn anew"


def test_batches_are_full_mixed_and_repeat_with_the_seed(data: Interactions) -> None:
    epochs = [list(data.training_batches(1000, np.random.default_rng(seed))) for seed in (0, 0, 1)]
    assert [len(epoch) for epoch in epochs] == [data.training_steps(1000)] * 3 == [447] * 3
    shares = [float(labels.mean()) for _, _, labels in epochs[0]]
    assert all(len(labels) == 1000 for _, _, labels in epochs[0])
    assert 0.1 < min(shares) < max(shares) < 0.3, "choices and negatives are mixed"
    same, other = ([bool((a[1] == b[1]).all()) for a, b in zip(epochs[0], one, strict=True)] for one in epochs[1:])
    assert all(same)
    assert not any(other)


def test_the_held_out_item_may_be_drawn_in_training(data: Interactions) -> None:
    held_out = keys(data, data.ranked_users, data.candidates[:, 0])
    users, items, labels = next(data.training_batches(5 * len(data), np.random.default_rng(0)))
    drawn = keys(data, users, items)[labels.numpy() == 0]
    assert np.isin(held_out, drawn).any(), "else training would know which items it is asked for"


def test_more_negatives_make_a_longer_epoch() -> None:
    assert movielens(negatives=1).training_steps(89_401) == 2
    assert movielens(negatives=6).training_steps(89_401) == 7
    assert movielens(negatives=1).digest == movielens(negatives=6).digest, "the data are the same"


def test_a_user_who_chose_everything_is_refused() -> None:
    users, items = np.array([0, 0, 1]), np.array([0, 1, 1])
    with pytest.raises(DynasError, match="a user chose each of the 2 items"):
        Interactions(2, 2, users, items, np.array([1]), np.array([[0, 1]]))
