"""The text that says what of a decoder matters."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from dynas.data.brown import corpus
from dynas.data.text_files import read_documents
from dynas.errors import DynasError

BROWN = "brown"


def calibration_texts(source: str, tokenizer: Tokenizer, length: int, tokens: int) -> Tensor:
    """Return beginnings of documents ``(n, length)``, spread over all of them.

    Args:
        source: ``brown``: the training documents of the embedded corpus; else a file or a folder of texts.
        tokenizer: makes tokens of them.
        length: tokens of a text.
        tokens: how many of them together.

    Raises:
        DynasError: there is no document that is long enough.
    """
    documents = corpus()[0] if source == BROWN else read_documents(Path(source).expanduser(), None)
    count = max(1, min(tokens // length, len(documents)))
    chosen = [documents[place * len(documents) // count] for place in range(count)]
    found = [one.ids[:length] for one in tokenizer.encode_batch(chosen) if len(one.ids) >= length]
    if not found:
        raise DynasError(
            f"supernet.calibration={source}: no document has {length} tokens: give longer texts, or a smaller "
            "supernet.length"
        )
    return torch.tensor(found)
