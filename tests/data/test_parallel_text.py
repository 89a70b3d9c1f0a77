"""Anyone's sentence pairs become data: files, splits, subwords, batches."""

from __future__ import annotations

import gzip
import lzma
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prepare_libreoffice_corpus import corpus

from dynas import DynasError
from dynas.core.data import IGNORED
from dynas.core.translation import EOS, UNK
from dynas.data.parallel_text import parallel_text, split
from dynas.data.text.parallel_files import TextPairs, near_duplicate_key, read_pairs
from dynas.data.text.pieces import Moses
from dynas.data.text.subwords import SubwordCodes
from dynas.data.text.translation import Translation
from tests.helpers.cli import dynas

DEFAULTS: dict[str, Any] = {
    "target": None,
    "languages": ["en", "de"],
    "validation_source": None,
    "validation_target": None,
    "validation_size": 20,
    "subwords": "learn",
    "merges": 60,
    "dictionary": None,
    "max_length": 100,
    "seed": 0,
}
ADJECTIVES = {"old": "alte", "new": "neue", "big": "große", "small": "kleine", "red": "rote", "green": "grüne"}
NOUNS = {
    "lamp": "Lampe",
    "clock": "Uhr",
    "map": "Karte",
    "saw": "Säge",
    "pear": "Birne",
    "soup": "Suppe",
    "cup": "Tasse",
}
PAIRS = [
    (f'The {a} {n} is "here", isn\'t it?', f"Die {A} {N} ist „hier“ (um 14:30 Uhr), nicht wahr?")
    for a, A in ADJECTIVES.items()
    for n, N in NOUNS.items()
] + [(f"We see {n}s & {m}s.", f"Wir sehen {N}n & {M}n.") for n, N in NOUNS.items() for m, M in NOUNS.items()]


def write(path: Path, lines: list[str]) -> str:
    content = "".join(f"{line}\n" for line in lines).encode()
    compress = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(compress(content))
    return str(path)


def files(folder: Path, ending: str = "") -> dict[str, Any]:
    """Write the pairs as two files."""
    sides = zip(("source", "target"), ("en", "de"), zip(*PAIRS, strict=True), strict=True)
    return {key: write(folder / f"text.{language}{ending}", list(texts)) for key, language, texts in sides}


def build(**settings: Any) -> Translation:
    return parallel_text(**{**DEFAULTS, **settings})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Translation:
    return build(**files(tmp_path_factory.mktemp("text")))


def texts_of(data: Translation) -> list[str]:
    return [data.detokenise(data.training[1][row]) for row in range(len(data))]


def test_text_comes_back_from_its_ids(data: Translation) -> None:
    targets = {target for _, target in PAIRS}
    assert [data.detokenise(target) for _, target in data.validation] == data.references
    assert set(data.references) | set(texts_of(data)) == targets
    assert len(data) == len(PAIRS) - 20
    assert all(source[-1] == target[-1] == EOS for source, target in data.validation)
    assert not any(UNK in source + target for source, target in data.validation)
    assert any("( um 14:30 Uhr ) , nicht" in text for text in data.tokenised_references)


@pytest.mark.parametrize("ending", [".gz", ".xz"])
def test_compressed_files_are_the_same_data(tmp_path: Path, data: Translation, ending: str) -> None:
    assert build(**files(tmp_path, ending)).digest == data.digest


def test_one_file_with_tabs_is_the_same_data(tmp_path: Path, data: Translation) -> None:
    path = write(tmp_path / "pairs.tsv.gz", ["\t".join(pair) for pair in PAIRS])
    assert build(source=path).digest == data.digest


def test_the_seed_decides_the_split(tmp_path: Path, data: Translation) -> None:
    assert build(**files(tmp_path), seed=0).references == data.references
    assert build(**files(tmp_path), seed=1).references != data.references


def test_validation_files_are_used_as_they_are(tmp_path: Path) -> None:
    paths = files(tmp_path)
    validation = {f"validation_{key}": path for key, path in paths.items()}
    whole = build(**paths, **validation, validation_size=None)
    assert whole.references == [target for _, target in PAIRS]
    some = build(**paths, **validation, validation_size=5)
    assert len(some.references) == 5
    assert set(some.references) <= set(whole.references)
    assert len(some) == len(PAIRS)


@given(st.data())
def test_a_split_leaves_no_near_duplicate_in_training(drawn: st.DataObject) -> None:
    words = st.sampled_from(["a", "A", "b", "b.", "c", "d", "e", "f,", "f"])
    texts = st.lists(words, min_size=1, max_size=3).map(" ".join)
    rows = drawn.draw(st.lists(st.tuples(texts, texts), min_size=8, max_size=40))
    documents = drawn.draw(st.none() | st.lists(st.sampled_from("xyz"), min_size=len(rows), max_size=len(rows)))
    pairs = TextPairs([row[0] for row in rows], [row[1] for row in rows], documents)
    try:
        training, validation = split(pairs, 2, np.random.default_rng(0))
    except DynasError:
        return
    assert (len(validation), len(training) > 0) == (2, True)
    for first, second in ((training.sources, validation.sources), (training.targets, validation.targets)):
        assert not set(map(near_duplicate_key, first)) & set(map(near_duplicate_key, second))
    assert Counter(zip(training.sources, training.targets, strict=True)) <= Counter(rows)


def test_documents_are_never_torn(tmp_path: Path) -> None:
    lines = [f"sentence {n} of {page}\tSatz {n} von {page}\tpage{page}" for page in range(30) for n in range(7)]
    data = build(source=write(tmp_path / "pairs.tsv", lines), validation_size=25)
    pages = [{text.split()[-1] for text in texts} for texts in (data.references, texts_of(data))]
    assert len(data.references) == 25
    assert pages[0] & pages[1] == set()
    assert len(data) == 26 * 7, "four pages are taken, 25 of their 28 sentences are used"


def test_long_pairs_are_left_out_of_training_only(tmp_path: Path) -> None:
    paths = files(tmp_path)
    short = build(**paths, max_length=15)
    assert 0 < len(short) < len(build(**paths))
    assert max(short.training[0].lengths.max(), short.training[1].lengths.max()) <= 16
    assert len(short.validation) == 20
    with pytest.raises(DynasError, match=r"data\.max_length=1 leaves no training pair"):
        len(build(**paths, max_length=1))


def test_given_codes_and_dictionary_are_used(tmp_path: Path, data: Translation) -> None:
    paths = files(tmp_path)
    moses = [
        Moses(language).words(text)
        for language, side in zip(("en", "de"), zip(*PAIRS, strict=True), strict=True)
        for text in side
    ]
    SubwordCodes.learn(moses, 30).write(tmp_path / "codes.txt")
    learned = build(**paths, subwords=str(tmp_path / "codes.txt"))
    assert learned.references == data.references
    assert [learned.detokenise(target) for _, target in learned.validation] == data.references
    data.target_dictionary.write(tmp_path / "dict.txt")
    again = build(**paths, dictionary=str(tmp_path / "dict.txt"))
    assert again.validation == data.validation
    assert (again.training[0].tokens == data.training[0].tokens).all()
    assert again.digest == data.digest


def test_a_sentencepiece_model_reads_plain_text(tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece", reason="the extra sentencepiece is not installed")
    paths = files(tmp_path)
    sentencepiece.SentencePieceTrainer.train(
        input=[paths["source"], paths["target"]],
        model_prefix=str(tmp_path / "pieces"),
        vocab_size=90,
        minloglevel=2,
    )
    data = build(**paths, subwords=str(tmp_path / "pieces.model"))
    assert [data.detokenise(target) for _, target in data.validation] == data.references
    assert any(" , nicht wahr ?" in text for text in data.tokenised_references)
    (tmp_path / "broken.model").write_bytes(b"no model")
    with pytest.raises(DynasError, match=r"broken\.model' is no SentencePiece model"):
        build(**paths, subwords=str(tmp_path / "broken.model"))
    with pytest.raises(DynasError, match="no SentencePiece model '"):
        build(**paths, subwords=str(tmp_path / "none.model"))


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (b"a\nb\n", b"a\n", "has 2 lines but .* has 1: give as many of both"),
        (b"a\n \n", b"a\nb\n", "source' line 2 has an empty sentence"),
        (b"a\nb\n", b"a\n\n", "target' line 2 has an empty sentence"),
        (b"a\nb\xff\n", b"a\nb\n", "source' line 2 is not in UTF-8"),
        (b"", b"", "source' is empty"),
        (b"a\tb\na\n", None, "line 2 has 1 columns: without data.target every line is"),
        (b"a\n", None, "line 1 has 1 columns"),
        (b"a\tb\tc\td\n", None, "line 1 has 4 columns"),
        (b"a\tb\n\tb\n", None, "line 2 has an empty sentence"),
    ],
)
def test_files_that_are_no_pairs_are_refused(tmp_path: Path, source: bytes, target: bytes | None, message: str) -> None:
    for name, content in (("source", source), ("target", target)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
    with pytest.raises(DynasError, match=message) as caught:
        read_pairs(str(tmp_path / "source"), None if target is None else str(tmp_path / "target"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [".gz", ".xz"])
def test_damaged_archives_are_refused(tmp_path: Path, ending: str) -> None:
    path = Path(write(tmp_path / f"pairs{ending}", ["\t".join(pair) for pair in PAIRS]))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DynasError, match="cannot read '"):
        read_pairs(str(path), None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": None}, "give data.source="),
        ({"source": "/nowhere.txt"}, "no text file '/nowhere.txt'"),
        ({"languages": ["en"]}, "give two languages"),
        ({"validation_size": 0}, r"data\.validation_size=0 cannot be split off"),
        ({"validation_size": len(PAIRS)}, "cannot be split off"),
        ({"subwords": "/nowhere.txt"}, "no file of byte-pair codes '/nowhere.txt'"),
        ({"dictionary": "/nowhere.txt"}, "no dictionary '/nowhere.txt'"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        build(**{**files(tmp_path), **settings})


def test_lines_of_windows_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    (tmp_path / "target").write_bytes(b"c\nd")
    pairs = read_pairs(str(tmp_path / "source"), str(tmp_path / "target"))
    assert (pairs.sources, pairs.targets) == (["a", "b"], ["c", "d"])


def test_epochs_differ_and_are_decided_by_their_generator(data: Translation) -> None:
    first, same, other = (
        [batch[2].tolist() for batch in data.training_batches(200, np.random.default_rng(seed))] for seed in (1, 1, 2)
    )
    assert first == same
    assert first != other


def test_like_lengths_come_together(data: Translation) -> None:
    padding = total = 0
    for _, _, target in data.training_batches(200, np.random.default_rng(0)):
        padding += int((target == IGNORED).sum())
        total += target.numel()
    assert 0 < padding < 0.1 * total


def test_a_sentence_that_no_batch_can_hold_is_refused(data: Translation) -> None:
    with pytest.raises(DynasError, match=r"a batch of 5 tokens cannot hold the longest training sentence of \d+"):
        next(data.training_batches(5, np.random.default_rng(0)))


@pytest.mark.slow
def test_real_prose_is_split_without_near_duplicates(reference: Path) -> None:
    source = reference.parent / "data" / "lo_en_de_le20.tsv.xz"
    data = build(source=str(source), validation_size=500, merges=500)
    pairs = read_pairs(str(source), None)
    assert len(pairs) == 24_421
    assert len(data.references) == 500
    assert 22_000 < len(data) < 23_921
    texts = [data.detokenise(target) for _, target in data.validation]
    restored = sum(text == reference for text, reference in zip(texts, data.references, strict=True))
    assert restored > 375, "Moses' rules lose spaces around slashes and the like"


def page(folder: Path, language: str, name: str, blocks: str) -> None:
    path = folder / language / "text" / f"{name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<html><head><title>no pair</title></head><body>{blocks}</body></html>", encoding="utf-8")


def test_help_pages_of_two_languages_become_pairs(tmp_path: Path) -> None:
    page(
        tmp_path,
        "en",
        "calc/a",
        "<h1 id='h'>Sheets</h1><p id='p'>A <b>bold</b>\n word<br>here</p><p>no id</p><p id='x'>7</p>",
    )
    page(tmp_path, "de", "calc/a", "<h1 id='h'>Tabellen</h1><p id='x'>7</p><p id='p'>Ein <b>fettes</b> Wort</p>")
    page(tmp_path, "en", "calc/b", "<p id='s'>Sheets</p><p id='l'>one two three four five six</p><p id='n'>Name</p>")
    page(tmp_path, "de", "calc/b", "<p id='s'>Blätter</p><p id='l'>eins</p><p id='n'>Name</p>")
    page(tmp_path, "en", "calc/only_english", "<p id='s'>Nothing</p>")
    assert list(corpus(tmp_path, ("en", "de"), 5)) == [
        "Sheets\tTabellen\tcalc/a\n",
        "A bold wordhere\tEin fettes Wort\tcalc/a\n",
    ]
    assert list(corpus(tmp_path, ("en", "de"), 6))[2:] == ["one two three four five six\teins\tcalc/b\n"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("search", "data=phrases", "budget=50"),
            "objective top1 judges classification, but the data are for translation",
        ),
        (("train", "data=phrases"), "give objectives=bleu and a supernet that is made for it, or other data"),
        (
            ("train", "supernet=transformer", "data=fashion_mnist", "objectives=top1"),
            "judges classification, but supernet 'transformer' is made for translation",
        ),
        (
            ("search", "supernet=transformer", "objectives=top1"),
            "judges classification, but the data are for translation",
        ),
        (("search", "supernet=transformer", "supernet.weights=random", "hardware=note10"), "give hardware=cpu"),
        (("search", "data=parallel_text"), "give data.source="),
    ],
)
def test_data_that_does_not_fit_gets_one_sentence(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = dynas(*arguments, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
