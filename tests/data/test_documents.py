"""Documents as windows of tokens, from files and from the package."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from dynas.core.data import IGNORED
from dynas.data.brown import VALIDATION, brown, corpus
from dynas.data.text.documents import Documents, ends_in_bytes, windows_of
from dynas.data.text.language_tokenizer import read_tokenizer
from dynas.data.text_files import hold_out, text_files
from dynas.errors import DynasError

OWN = read_tokenizer("embedded")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def without_special() -> Tokenizer:
    """A tokenizer that puts nothing before a text: bytes are its tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({one: number for number, one in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


BYTES = without_special()


@given(text=TEXT, window=st.integers(2, 9), data=st.data())
def test_windows_count_each_token_and_each_byte_once(text: str, window: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, window))
    windows = windows_of(text, OWN, window, stride)
    ids = OWN.encode(text).ids
    counted = [token for one in windows for token in one.tokens[one.first :].tolist()]
    assert counted == ids[1:]
    assert sum(one.bytes for one in windows) == len(text.encode())
    assert all(len(one.tokens) <= window + 1 for one in windows)
    for one in windows[1:]:
        assert one.first >= min(window - stride, len(one.tokens) - 1)


@given(text=TEXT.filter(bool))
def test_a_first_token_that_nothing_stands_before_does_not_count(text: str) -> None:
    counted = [token for one in windows_of(text, BYTES, 8, 4) for token in one.tokens[one.first :].tolist()]
    assert counted == BYTES.encode(text).ids[1:]


@given(text=TEXT)
def test_ends_are_those_of_the_characters_in_utf_8(text: str) -> None:
    ends = ends_in_bytes(text, range(1, len(text) + 1))
    assert ends.tolist() == [len(text[:end].encode()) for end in range(1, len(text) + 1)]


def test_text_without_tokens_is_refused() -> None:
    words = Tokenizer(models.WordLevel({"[UNK]": 0, "seven": 1, "eight": 2, "nine": 3}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    assert documents(tokenizer=words).validation_bytes > 0
    with pytest.raises(DynasError, match="no tokens for parts of the validation text"):
        documents(tokenizer=words, validation=["seven ten nine"])


def documents(**changes: Any) -> Documents:
    given: dict[str, Any] = {
        "training": ["one two three four " * 40, "five six " * 60], "validation": ["seven eight nine " * 30],
        "tokenizer": OWN, "window": 16, "stride": 8, "validation_size": None, "epoch_tokens": None,
    }  # fmt: skip
    return Documents(**(given | changes))


def test_validation_batches_hold_the_windows() -> None:
    data = documents()
    counted = torch.cat([targets[targets != IGNORED] for _, targets in data.validation_batches()])
    assert sorted(counted.tolist()) == sorted(OWN.encode("seven eight nine " * 30).ids[1:])
    assert data.validation_bytes == len("seven eight nine " * 30)
    some = documents(validation_size=3)
    assert sum(len(tokens) for tokens, _ in some.validation_batches()) == 3
    assert 0 < some.validation_bytes < data.validation_bytes
    assert some.digest != data.digest


@given(seed=st.integers(0, 99), epoch=st.sampled_from([None, 16, 100, 5000]))
@settings(max_examples=20)
def test_training_windows_are_parts_of_the_text(seed: int, epoch: int | None) -> None:
    data = documents(epoch_tokens=epoch)
    stream = OWN.encode("one two three four " * 40).ids + OWN.encode("five six " * 60).ids
    every = {tuple(stream[start : start + 17]) for start in range(len(stream) - 16)}
    rows = 0
    for tokens, targets in data.training_batches(40, np.random.default_rng(seed)):
        assert tokens.shape == targets.shape == (2, 16)
        assert {(*own.tolist(), int(last)) for own, last in zip(tokens, targets[:, -1], strict=True)} <= every
        assert torch.equal(tokens[:, 1:], targets[:, :-1])
        rows += 2
    assert rows == 2 * data.training_steps(40) == (epoch or len(stream)) // 16 // 2 * 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 1}, r"data\.window=1 data\.stride=8"),
        ({"stride": 17}, r"data\.stride=17: give a window of 2 or more and a stride up to it"),
        ({"validation_size": 0}, r"data\.validation_size=0: give 1 or more, or null"),
        ({"validation_size": 999}, r"data\.validation_size=999: there are \d+ validation windows"),
        ({"epoch_tokens": 0}, r"data\.epoch_tokens=0"),
        ({"validation": [""]}, "nothing to foretell"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        documents(**changes)


def test_too_little_text_is_told() -> None:
    with pytest.raises(DynasError, match=r"has 3 tokens, fewer than a window.*a smaller data\.window than 16"):
        documents(training=["one two"]).training_steps(32)
    with pytest.raises(DynasError, match=r"recipe\.batch_size=8 is in tokens here: give data\.window=16 or more"):
        documents().training_steps(8)


def of_files(path: Path, **changes: Any) -> Documents:
    given: dict[str, Any] = {
        "validation": None, "validation_share": 0.25, "text": None, "tokenizer": "embedded", "window": 16, "stride": 8,
        "validation_size": None, "epoch_tokens": None, "seed": 0,
    }  # fmt: skip
    return text_files(str(path), **(given | changes))


def test_a_folder_of_files_is_read_a_document_each(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.txt").write_text("first text")
    rows = [{"text": f"text number {number}"} for number in range(6)]
    (tmp_path / "more.jsonl.xz").write_bytes(lzma.compress("\n".join(map(json.dumps, rows)).encode()))
    (tmp_path / "last.md").write_text("the last text")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    data = of_files(tmp_path)
    counted = sum(int((targets != IGNORED).sum()) for _, targets in data.validation_batches())
    held = [text for text in ["first text", "the last text", *(row["text"] for row in rows)] if text not in data._texts]
    assert (len(data._texts), len(held)) == (6, 2)
    assert counted == sum(len(OWN.encode(text).ids) - 1 for text in held)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DynasError, match="holds no texts: looked for"):
        of_files(tmp_path / "empty")


def test_a_single_document_is_measured_on_its_end(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(100))
    training, validation = hold_out([text], 0.25, 0)
    assert training[0] + validation[0] == text
    assert training[0].endswith("\n")
    assert 0.2 < len(validation[0]) / len(text) < 0.3


@given(seed=st.integers(0, 99))
def test_documents_that_are_alike_stay_on_one_side(seed: int) -> None:
    texts = ["One, two.", "one two", "Three!", "three", "four", "five"]
    training, validation = hold_out(texts, 0.5, seed)
    assert sorted(training + validation) == sorted(texts)
    for pair in (texts[:2], texts[2:4]):
        assert set(pair) <= set(training) or set(pair) <= set(validation)


@pytest.mark.parametrize("share", [0.0, 1.0, 0.01])
def test_a_share_that_leaves_nothing_is_refused(share: float) -> None:
    with pytest.raises(DynasError, match=rf"data\.validation_share={share}"):
        hold_out(["a", "b", "c"], share, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{}", "has no column text"), ('{"text": ""}', "line 1 has no text"), ("", "holds no texts"), ("[", "is no JSON")],
)
def test_lines_without_text_are_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(DynasError, match=message):
        of_files(tmp_path / "a.jsonl")


def test_a_tokenizer_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=r"no tokenizer\.json at .*: give data\.tokenizer="):
        read_tokenizer(str(tmp_path))
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(DynasError, match="cannot read a tokenizer from"):
        read_tokenizer(str(tmp_path))


def test_the_brown_corpus_is_what_it_says() -> None:
    training, validation = corpus()
    assert (len(training), len(validation)) == (451, 49)
    assert len("".join(validation).encode()) == 589_196
    assert training[0].startswith(
        "The Fulton County Grand Jury said Friday an investigation of Atlanta's recent primary"
    )
    assert '"no evidence" that any irregularities took place.\n' in training[0]
    assert len(VALIDATION) == 4
    assert OWN.get_vocab_size() == 4096
    for text in (training[0], validation[-1], "naïve 中文 \U0001f600"):
        assert OWN.decode(OWN.encode(text).ids, skip_special_tokens=True) == text


def test_further_texts_are_trained_on(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("one more text")
    plain, further = (brown("embedded", more, 64, 32, 4, None) for more in (None, str(tmp_path / "more.txt")))
    assert list(further._texts[:-1]) == list(plain._texts)
    assert further._texts[-1] == "one more text"
    assert further.validation_bytes == plain.validation_bytes
