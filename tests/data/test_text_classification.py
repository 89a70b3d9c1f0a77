"""Texts with labels: what is read of files, how they are split, and what is refused."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from dynas.compose.fit import check_texts
from dynas.data.sentiment import EMBEDDED, VOCABULARY, sentiment
from dynas.data.text.labelled import LabelledTexts
from dynas.data.text.word_pieces import read_tokenizer
from dynas.data.text_classification import text_classification
from dynas.errors import DynasError
from tests.helpers.supernets import narrow_bert

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "##s", "a", "!", "so"]
ROWS = [
    ("a good film", "1"),
    ("bad films", "0"),
    ("a bad film", "0"),
    ("so good", "1"),
    ("A good film!", "1"),
    ("so bad", "0"),
]


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES))
    return tmp_path / "vocab.txt"


def as_csv(rows: list[tuple[str, str]]) -> str:
    return "label,text\n" + "".join(f'{label},"{text}"\n' for text, label in rows)


def as_tsv(rows: list[tuple[str, str]]) -> str:
    return "sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)


def as_json_lines(rows: list[tuple[str, str]]) -> str:
    return "".join(json.dumps({"review": text, "sentiment": int(label), "stars": 3}) + "\n" for text, label in rows)


def texts(path: Path, vocabulary: Path, **changes: Any) -> LabelledTexts:
    settings: dict[str, Any] = {
        "validation": None, "validation_size": 2, "tokenizer": str(vocabulary), "lowercase": True, "max_length": 8,
        "text": None, "label": None, "classes": None, "seed": 0,
    }  # fmt: skip
    return text_classification(str(path), **(settings | changes))


def measured(data: LabelledTexts) -> list[tuple[tuple[int, ...], int]]:
    return [
        (tuple(row[seen == 1].tolist()), int(label))
        for batch in data.validation_batches()
        for row, seen, label in zip(*batch, strict=True)
    ]


FILES = {"texts.csv": as_csv, "texts.tsv": as_tsv, "texts.jsonl": as_json_lines}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_all_formats_hold_the_same_texts(name: str, packed: bool, tmp_path: Path, vocabulary: Path) -> None:
    content = FILES[name](ROWS).encode()
    path = tmp_path / (f"{name}.xz" if packed else name)
    path.write_bytes(lzma.compress(content) if packed else content)
    (tmp_path / "held.tsv").write_text(as_tsv(ROWS))
    data = texts(path, vocabulary, validation=str(tmp_path / "held.tsv"), validation_size=None)
    other = texts(tmp_path / "held.tsv", vocabulary, validation=str(path), validation_size=None)
    assert data.digest == other.digest
    assert (data.classes, data.vocabulary, data.longest) == (2, len(PIECES), 8)
    assert ((2, 6, 3), 0) not in measured(data)
    assert ((2, 5, 6, 7, 3), 0) in measured(data), "[CLS] bad film ##s [SEP]"
    assert len(measured(data)) == len(ROWS)


def test_a_folder_in_the_layout_of_glue_is_read(tmp_path: Path, vocabulary: Path) -> None:
    (tmp_path / "train.tsv").write_text(as_tsv(ROWS))
    (tmp_path / "dev.tsv").write_text(as_tsv([('"a bad film', "0"), ("so good", "1")]))  # a quote is a letter there
    data = texts(tmp_path, vocabulary, validation_size=None)
    assert sorted(label for _, label in measured(data)) == [0, 1]
    assert sum(len(labels) for *_, labels in data.training_batches(2, np.random.default_rng(0))) == len(ROWS)
    (tmp_path / "other.csv").write_text(as_csv(ROWS[:3]))
    other = texts(tmp_path, vocabulary, validation=str(tmp_path / "other.csv"), validation_size=None)
    assert len(measured(other)) == 3, "what is given counts, not the folder's"


def test_texts_that_differ_in_punctuation_stay_on_one_side(tmp_path: Path, vocabulary: Path) -> None:
    (tmp_path / "texts.csv").write_text(as_csv(ROWS))
    for seed in range(12):
        data = texts(tmp_path / "texts.csv", vocabulary, seed=seed)
        held = {tuple(piece for piece in pieces if piece != 9) for pieces, _ in measured(data)}
        for pieces, mask, _ in data.training_batches(1, np.random.default_rng(0)):
            left = tuple(piece for piece in pieces[0][mask[0] == 1].tolist() if piece != 9)
            assert left not in held
        assert held


def test_classes_are_in_the_order_that_is_given(tmp_path: Path, vocabulary: Path) -> None:
    rows = [(text, {"0": "negative", "1": "positive"}[label]) for text, label in ROWS]
    (tmp_path / "texts.csv").write_text(as_csv(rows))
    by_name = texts(tmp_path / "texts.csv", vocabulary)
    given = texts(tmp_path / "texts.csv", vocabulary, classes=["positive", "negative"])
    assert [1 - label for _, label in measured(by_name)] == [label for _, label in measured(given)]


def test_what_is_too_long_is_cut_off(tmp_path: Path, vocabulary: Path) -> None:
    (tmp_path / "texts.csv").write_text(as_csv([*ROWS, ("so " * 50 + "good", "1")]))
    data = texts(tmp_path / "texts.csv", vocabulary, validation=str(tmp_path / "texts.csv"), validation_size=None)
    assert max(len(pieces) for pieces, _ in measured(data)) == 8
    assert all(pieces[-1] == 3 for pieces, _ in measured(data)), "[SEP] ends all"


def test_a_tokenizer_json_is_read_from_its_folder(tmp_path: Path) -> None:
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(PIECES)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert read_tokenizer(tmp_path, True, 9).encode("so good films").ids == [10, 4, 1]


def test_the_embedded_sentences_are_many_and_even() -> None:
    data = sentiment(None, "embedded", 64, 0)
    labels = [label for _, label in measured(data)]
    assert len(labels) == 1600
    assert 0.45 < np.mean(labels) < 0.55
    assert data.training_steps(1) == 8470
    unknown = (EMBEDDED / VOCABULARY).read_text().splitlines().index("[UNK]")
    assert sum(unknown in pieces for pieces, _ in measured(data)) <= 1
    assert data.length == 28


REFUSED: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "no file": ("", "none.csv", {}, r"no file of texts '.*none\.csv'"),
    "no texts": ("label,text\n", "t.csv", {}, r"t\.csv' holds no texts"),
    "an empty text": (as_csv([*ROWS, (" ", "1")]), "t.csv", {}, r"t\.csv' line 8 has no text"),
    "no label": (as_csv([*ROWS, ("good", "")]), "t.csv", {}, r"t\.csv' line 8 has no label"),
    "another column": (
        as_csv(ROWS),
        "t.csv",
        {"text": "body"},
        r"no column body: give data\.text=<one of label, text>",
    ),
    "no column": ("words,kind\ngood,1\n", "t.csv", {}, r"no column text or .*: give data\.text=<one of words, kind>"),
    "another format": (as_csv(ROWS), "t.parquet", {}, r"t\.parquet': texts are read from \.csv, \.tsv"),
    "broken json": ('{"text": 1\n', "t.jsonl", {}, r"t\.jsonl' line 1 is no JSON"),
    "no object": ("[1]\n", "t.jsonl", {}, r"t\.jsonl' line 1 holds no object"),
    "one class": (as_csv(ROWS[:1]), "t.csv", {}, r"all texts have the label '1'"),
    "a label out of range": (as_csv(ROWS), "t.csv", {"classes": ["0", "2"]}, r"has the label '1', which is not among"),
    "no validation": (as_csv(ROWS), "t.csv", {"validation_size": None}, r"there are 6 texts: give data\.validation"),
    "too much validation": (as_csv(ROWS), "t.csv", {"validation_size": 6}, r"a data\.validation_size that leaves some"),
    "too short": (as_csv(ROWS), "t.csv", {"max_length": 2}, r"data\.max_length=2: give 3 or more"),
    "no tokenizer": (as_csv(ROWS), "t.csv", {"tokenizer": "none"}, r"data\.tokenizer=none: give a tokenizer\.json or"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_makes_no_sense_is_refused_in_one_sentence(kind: str, tmp_path: Path, vocabulary: Path) -> None:
    content, name, changes, message = REFUSED[kind]
    if content:
        (tmp_path / name).write_text(content)
    with pytest.raises(DynasError, match=message):
        texts(tmp_path / name, vocabulary, **changes)


@pytest.mark.parametrize("content", [b"good\nbad\n", b"{}", b"\xff\xfe", b""], ids=["words", "json", "bytes", "empty"])
@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json"])
def test_a_broken_tokenizer_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DynasError, match=rf"{name}'"):
        read_tokenizer(tmp_path / name, True, 8)


MISFITS: dict[str, tuple[Callable[[LabelledTexts], dict[str, Any]], str]] = {
    "vocabulary": (lambda data: {}, r"the tokenizer has 9,076 word pieces, but the network was made for 60"),
    "length": (lambda data: {"vocabulary": data.vocabulary}, r"data\.max_length=64 is longer than .*: give 20 or less"),
}


@pytest.mark.parametrize("kind", MISFITS)
def test_a_network_that_cannot_read_the_texts_is_refused(kind: str) -> None:
    data = sentiment(10, "embedded", 64, 0)
    change, message = MISFITS[kind]
    with pytest.raises(DynasError, match=message):
        check_texts(narrow_bert(**change(data)), data)
