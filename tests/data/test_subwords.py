"""Byte-pair codes split words and read back; sentences come in batches with their padding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas import DynasError
from dynas.core.data import IGNORED
from dynas.core.translation import EOS, PAD
from dynas.data.text.sentences import Sentences, training_batches
from dynas.data.text.subwords import SubwordCodes, join


def test_codes_split_words_as_the_merges_say() -> None:
    codes = SubwordCodes((("l", "o"), ("lo", "w</w>"), ("e", "r</w>")))
    assert codes.split(["low lower slow x"]) == [["low", "lo@@", "w@@", "er", "s@@", "low", "x"]]
    assert codes.split([""]) == [[]]


def test_learned_codes_join_the_most_frequent_pairs() -> None:
    codes = SubwordCodes.learn(["ab ab ab abc xyz"], 2)
    assert codes.merges[0] == ("a", "b</w>")
    assert codes.split(["ab"]) == [["ab"]]
    assert len(codes.merges) == 2
    assert SubwordCodes.learn(["ab"], 0).merges == ()


LETTERS = st.characters(blacklist_categories=("Cs", "Cc", "Z"), blacklist_characters="@")
LINES = st.lists(st.lists(st.text(LETTERS, min_size=1, max_size=6), max_size=6).map(" ".join), min_size=1, max_size=5)


@given(LINES, LINES)
def test_words_come_back_from_their_pieces(training: list[str], lines: list[str]) -> None:
    codes = SubwordCodes.learn(training, 20)
    assert codes == SubwordCodes.learn(training, 20)
    assert [join(pieces) for pieces in codes.split(lines)] == lines


@given(LINES)
def test_codes_read_back(tmp_path_factory: pytest.TempPathFactory, training: list[str]) -> None:
    path = tmp_path_factory.mktemp("codes") / "codes.txt"
    codes = SubwordCodes.learn(training, 20)
    codes.write(path)
    assert SubwordCodes.read(path) == codes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a b\n", "its first line must be '#version: 0.2'"),
        ("#version: 0.2\na b\nab\n", "line 3 is no pair of symbols"),
        ("#version: 0.2\na  b\n", "line 2 is no pair of symbols"),
    ],
)
def test_a_file_that_holds_no_codes_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "codes.txt").write_text(text)
    with pytest.raises(DynasError, match=message):
        SubwordCodes.read(tmp_path / "codes.txt")


ROWS = st.lists(
    st.tuples(*[st.lists(st.integers(4, 50), max_size=12).map(lambda row: [*row, EOS])] * 2), min_size=1, max_size=30
)


@given(ROWS, st.integers(13, 60), st.integers(0, 3))
def test_an_epoch_shows_every_pair_once_with_its_padding(
    rows: list[tuple[list[int], list[int]]], max_tokens: int, seed: int
) -> None:
    sides = [Sentences.of([row[side] for row in rows]) for side in (0, 1)]
    seen = []
    for source, previous, target in training_batches(sides[0], sides[1], max_tokens, np.random.default_rng(seed)):
        assert source.dtype == previous.dtype == target.dtype
        assert previous.shape == target.shape
        assert len(source) * max(source.shape[1], target.shape[1]) <= max_tokens
        for a, b, c in zip(source.tolist(), previous.tolist(), target.tolist(), strict=True):
            pair = ([token for token in a if token != PAD], [token for token in c if token != IGNORED])
            assert a == [PAD] * (len(a) - len(pair[0])) + pair[0], "padded on the left"
            assert c == pair[1] + [IGNORED] * (len(c) - len(pair[1])), "padded on the right by what is not learned"
            assert b == [EOS, *pair[1][:-1]] + [PAD] * (len(c) - len(pair[1])), "the target one step later"
            seen.append(pair)
        assert min((source == PAD).sum(1)) == 0
    assert sorted(seen) == sorted(rows)
