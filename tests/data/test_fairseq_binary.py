"""Binarised sentences of both layouts read back; what is broken is named in one sentence."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas import DynasError
from dynas.core.translation import EOS, SPECIAL, UNK
from dynas.data.text.dictionary import Dictionary
from dynas.data.text.fairseq_binary import read_sentences
from dynas.data.wmt14 import binarised

Rows = Sequence[Sequence[int]]
Writer = Callable[[Path, Rows], None]


def write_legacy(prefix: Path, rows: Rows) -> None:
    """Write the layout TNTIDX: int32 numbers, one more than the ids."""
    lengths = [len(row) for row in rows]
    places = np.concatenate([[0], np.cumsum(lengths)]).astype("<i8")
    header = b"TNTIDX\x00\x00" + struct.pack("<5Q", 1, 4, 4, len(rows), len(rows))
    dimensions = np.arange(len(rows) + 1, dtype="<i8")
    content = header + dimensions.tobytes() + places.tobytes() + np.array(lengths, dtype="<i8").tobytes()
    prefix.with_name(prefix.name + ".idx").write_bytes(content)
    numbers = np.array([token + 1 for row in rows for token in row], dtype="<i4")
    prefix.with_name(prefix.name + ".bin").write_bytes(numbers.tobytes())


def write_mapped(prefix: Path, rows: Rows) -> None:
    """Write the layout MMIDIDX: uint16 numbers, the ids themselves."""
    lengths = np.array([len(row) for row in rows], dtype="<i4")
    places = 2 * (np.cumsum(lengths, dtype="<i8") - lengths)
    header = b"MMIDIDX\x00\x00" + struct.pack("<QBQ", 1, 8, len(rows))
    prefix.with_name(prefix.name + ".idx").write_bytes(header + lengths.tobytes() + places.astype("<i8").tobytes())
    numbers = np.array([token for row in rows for token in row], dtype="<u2")
    prefix.with_name(prefix.name + ".bin").write_bytes(numbers.tobytes())


WRITERS = pytest.mark.parametrize("write", [write_legacy, write_mapped], ids=["legacy", "mapped"])
SENTENCES = st.lists(st.lists(st.integers(0, 99), max_size=9).map(lambda row: [*row, EOS]), max_size=9)


@WRITERS
@given(rows=SENTENCES)
def test_sentences_read_back(tmp_path_factory: pytest.TempPathFactory, write: Writer, rows: Rows) -> None:
    prefix = tmp_path_factory.mktemp("binary") / "valid.en-de.en"
    write(prefix, rows)
    read = read_sentences(prefix, 100)
    assert [read[index] for index in range(len(read))] == [list(row) for row in rows]
    if rows:
        everything = np.arange(len(rows))
        for left in (True, False):
            matrix = read.padded(everything, left)
            assert matrix.shape == (len(rows), max(map(len, rows)))
            for line, row in zip(matrix.tolist(), rows, strict=True):
                padding = [1] * (len(line) - len(row))
                assert line == (padding + list(row) if left else list(row) + padding)


def test_both_layouts_begin_as_fairseq_writes_them(tmp_path: Path) -> None:
    write_legacy(tmp_path / "old", [[7, 2]])
    assert (tmp_path / "old.bin").read_bytes() == bytes.fromhex("08000000 03000000"), "ids plus one"
    write_mapped(tmp_path / "new", [[7, 2]])
    assert (tmp_path / "new.bin").read_bytes() == bytes.fromhex("0700 0200")
    assert (tmp_path / "new.idx").read_bytes()[:18] == b"MMIDIDX\x00\x00" + bytes.fromhex("01000000 00000000 08")


@WRITERS
@pytest.mark.parametrize(
    ("ending", "damage", "message"),
    [
        (".idx", lambda content: b"", "is no index that fairseq-preprocess wrote: it begins with b''"),
        (".idx", lambda content: b"PK" + content, "is no index that fairseq-preprocess wrote: it begins with b'PK"),
        (".idx", lambda content: content[:12], "is no index that fairseq-preprocess wrote"),
        (".idx", lambda content: content[:-8], "is no index that fairseq-preprocess wrote"),
        (".bin", lambda content: content[:-4], "is torn or belongs to another index"),
        (".bin", lambda content: b"", "is torn or belongs to another index"),
        (
            ".bin",
            lambda content: content[:-4] + b"\x77\x77\x77\x77",
            "holds the id .*but its dictionary has the ids 0 to 99",
        ),
    ],
)
def test_damaged_files_are_refused(
    tmp_path: Path, write: Writer, ending: str, damage: Callable[[bytes], bytes], message: str
) -> None:
    write(tmp_path / "valid", [[5, 6, EOS], [7, EOS]])
    path = tmp_path / f"valid{ending}"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DynasError, match=message) as caught:
        read_sentences(tmp_path / "valid", 100)
    assert "\n" not in str(caught.value)


@WRITERS
def test_every_prefix_of_an_index_is_refused(tmp_path: Path, write: Writer) -> None:
    write(tmp_path / "valid", [[5, 6, EOS], [7, EOS]])
    content = (tmp_path / "valid.idx").read_bytes()
    for length in range(len(content)):
        (tmp_path / "valid.idx").write_bytes(content[:length])
        with pytest.raises(DynasError, match="no index that fairseq-preprocess wrote"):
            read_sentences(tmp_path / "valid", 100)


def test_floats_and_other_versions_are_refused(tmp_path: Path) -> None:
    write_mapped(tmp_path / "valid", [[5, EOS]])
    content = (tmp_path / "valid.idx").read_bytes()
    for place, value in ((9, 2), (17, 6)):
        (tmp_path / "valid.idx").write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
        with pytest.raises(DynasError, match="not version 1 and a type of integers"):
            read_sentences(tmp_path / "valid", 100)


WORDS = ("the", "hou@@", "se", "haus", "das", "gro@@", "ß", ",", "so", "&quot;", ".", "big")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path)


def write_folder(folder: Path) -> Path:
    """Write a small folder as fairseq-preprocess leaves it: old layout for training, new one for validation."""
    words = Dictionary.build([WORDS])
    for language in ("en", "de"):
        words.write(folder / f"dict.{language}.txt")
    rng = np.random.default_rng(0)
    for split, write, size in (("train", write_legacy, 40), ("valid", write_mapped, 12)):
        for language in ("en", "de"):
            rows = [[*rng.integers(4, len(words), rng.integers(1, 9)).tolist(), EOS] for _ in range(size)]
            write(folder / f"{split}.en-de.{language}", rows)
    write_mapped(folder / "test.en-de.en", [words.encode("the big hou@@ se .".split())])
    write_mapped(folder / "test.en-de.de", [words.encode("das gro@@ ß , &quot; so &quot; haus .".split())])
    return folder


def test_hats_folder_becomes_data(folder: Path) -> None:
    data = binarised(str(folder), "en", "de", "valid", None, 0)
    assert (data.source_vocabulary, data.target_vocabulary, len(data), len(data.validation)) == (16, 16, 40, 12)
    assert len(data.references) == len(data.tokenised_references) == 12
    seen = sum(len(batch[0]) for batch in data.training_batches(64, np.random.default_rng(0)))
    assert seen == 40
    assert data.quality == "bleu"


def test_references_lose_byte_pair_marks_and_moses_spaces(folder: Path) -> None:
    data = binarised(str(folder), "en", "de", "test", None, 0)
    assert data.tokenised_references == ["das groß , &quot; so &quot; haus ."]
    assert data.references == ['das groß, "so" haus.']
    assert data.detokenise([*data.validation[0][1], 5, 5]) == data.references[0], "nothing counts behind the end"
    assert data.tokenised([UNK, EOS]) == "<unk>"


def test_a_sample_of_the_validation_is_decided_by_its_seed(folder: Path) -> None:
    first, same, other = (binarised(str(folder), "en", "de", "valid", 6, seed).validation for seed in (1, 1, 2))
    assert first == same
    assert first != other
    everything = binarised(str(folder), "en", "de", "valid", None, 0).validation
    assert all(pair in everything for pair in first)


def test_the_digest_tells_other_files(folder: Path) -> None:
    digest = binarised(str(folder), "en", "de", "valid", None, 0).digest
    assert binarised(str(folder), "en", "de", "valid", None, 0).digest == digest
    path = folder / "valid.en-de.de.bin"
    path.write_bytes(path.read_bytes()[::-1])  # two bytes an id: 0x0100 and more do not fit the dictionary
    with pytest.raises(DynasError, match="holds the id"):
        binarised(str(folder), "en", "de", "valid", None, 0)
    write_mapped(folder / "valid.en-de.de", [[5, EOS]] * 12)
    assert binarised(str(folder), "en", "de", "valid", None, 0).digest != digest


@pytest.mark.parametrize(
    "name", ["dict.en.txt", "dict.de.txt", "valid.en-de.en.idx", "valid.en-de.en.bin", "valid.en-de.de.bin"]
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DynasError, match=f"no d(ata file|ictionary) '.*{name}'"):
        binarised(str(folder), "en", "de", "valid", None, 0)


def test_training_files_are_asked_for_when_they_are_needed(folder: Path) -> None:
    (folder / "train.en-de.en.bin").unlink()
    data = binarised(str(folder), "en", "de", "valid", None, 0)
    with pytest.raises(DynasError, match=r"no data file '.*train\.en-de\.en\.bin'"):
        len(data)


@pytest.mark.parametrize(
    ("path", "size", "message"),
    [
        (None, None, "give data.path="),
        ("/nowhere/at/all", None, "no folder '/nowhere/at/all'"),
        ("here", 13, "data.validation_size=13 must be between 1 and the 12 sentences of 'valid'"),
        ("here", 0, "data.validation_size=0 must be"),
    ],
)
def test_settings_that_cannot_work_are_refused(folder: Path, path: str | None, size: int | None, message: str) -> None:
    with pytest.raises(DynasError, match=message):
        binarised(str(folder) if path == "here" else path, "en", "de", "valid", size, 0)


def test_sides_of_different_lengths_are_refused(folder: Path) -> None:
    write_mapped(folder / "valid.en-de.de", [[5, EOS]] * 11)
    with pytest.raises(DynasError, match="holds 12 sentences of en but 11 of de"):
        binarised(str(folder), "en", "de", "valid", None, 0)


TOKENS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Z")), min_size=1, max_size=5)


@given(st.lists(st.lists(TOKENS, max_size=6), min_size=1, max_size=6))
def test_a_dictionary_reads_back_and_numbers_its_tokens(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[list[str]]
) -> None:
    words = Dictionary.build(sentences)
    assert len(words) % 8 == 0
    if words.tokens:
        path = tmp_path_factory.mktemp("dictionary") / "dict.txt"
        words.write(path)
        assert Dictionary.read(path) == words
    assert list(words.counts) == sorted(words.counts, reverse=True)
    for sentence in sentences:
        ids = words.encode(sentence)
        assert ids[-1] == EOS
        assert words.decode([0, *ids, 1, 1]) == ["<unk>" if token in SPECIAL else token for token in sentence]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("the 5\nhouse\n", "line 2 is no token and its count: 'house'"),
        ("the five\n", "line 1 is no token and its count"),
        ("the 5\nthe 4\n", "has the token 'the' twice"),
    ],
)
def test_a_file_that_is_no_dictionary_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "dict.txt").write_text(text)
    with pytest.raises(DynasError, match=message):
        Dictionary.read(tmp_path / "dict.txt")
