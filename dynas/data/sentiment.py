"""Sentences of film reviews, good or bad; scripts/assets/build_sentiment.py put them into the package."""

from __future__ import annotations

from pathlib import Path

from dynas.data.text.labelled import LabelledTexts
from dynas.data.text_classification import text_classification

EMBEDDED = Path(__file__).parent / "embedded" / "sentiment"
TRAIN, VALIDATION, VOCABULARY = "train.tsv.xz", "validation.tsv.xz", "vocabulary.txt"


def sentiment(validation_size: int | None, tokenizer: str, max_length: int, seed: int) -> LabelledTexts:
    """Return the embedded sentences: class 0 is bad, 1 is good.

    Args:
        validation_size: number of validation sentences that are used; None: all.
        tokenizer: ``embedded``, or what `dynas.data.text.word_pieces.read_tokenizer` reads.
        max_length: word pieces that a sentence may have; longer ones are cut off.
        seed: decides which validation sentences are used.

    Raises:
        DynasError: there are fewer validation sentences, or the tokenizer cannot be read.
    """
    return text_classification(
        path=str(EMBEDDED / TRAIN),
        validation=str(EMBEDDED / VALIDATION),
        validation_size=validation_size,
        tokenizer=str(EMBEDDED / VOCABULARY) if tokenizer == "embedded" else tokenizer,
        lowercase=True,
        max_length=max_length,
        text=None,
        label=None,
        classes=["0", "1"],
        seed=seed,
    )
