"""Sentence pairs with the dictionaries and text rules of their two languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from dynas.core.translation import Pair, TokenBatch, TranslationData
from dynas.data.text.dictionary import Dictionary
from dynas.data.text.pieces import TextRules
from dynas.data.text.sentences import Sentences, batch_rows, training_batches

Sides = tuple[Sentences, Sentences]


class Translation(TranslationData):
    """Data of one translation task (see `dynas.core.translation.TranslationData`).

    Args:
        training: returns source and target sentences; called when they are first needed, since a search is not
            in need of them.
        validation: source and target ids.
        references: the validation's target sentences as plain text; None: they are made from the ids.
        dictionaries: of source and target language.
        rules: how target pieces become text.
        digest: SHA-256 of the raw data.
    """

    def __init__(
        self,
        training: Callable[[], Sides],
        validation: Sequence[Pair],
        references: Sequence[str] | None,
        dictionaries: tuple[Dictionary, Dictionary],
        rules: TextRules,
        digest: str,
    ) -> None:
        self.source_dictionary, self.target_dictionary = dictionaries
        self.source_vocabulary, self.target_vocabulary = map(len, dictionaries)
        self._read_training, self._rules = training, rules
        self.validation = validation
        self.digest = digest
        self.tokenised_references = [self.tokenised(target) for _, target in validation]
        self.references = (
            [self.detokenise(target) for _, target in validation] if references is None else list(references)
        )

    @cached_property
    def training(self) -> Sides:
        """Source and target sentences."""
        return self._read_training()

    def detokenise(self, ids: Sequence[int]) -> str:
        """Return target ids up to the first EOS as plain text."""
        return self._rules.detokenised(self.target_dictionary.decode(ids))

    def tokenised(self, ids: Sequence[int]) -> str:
        """Return target ids up to the first EOS as words and punctuation with spaces between them."""
        return self._rules.tokenised(self.target_dictionary.decode(ids))

    def __len__(self) -> int:
        """Return the number of training pairs."""
        return len(self.training[0])

    def training_steps(self, max_tokens: int) -> int:
        """Return the number of batches of an epoch."""
        return len(batch_rows(*self.training, max_tokens, np.random.default_rng(0)))

    def training_batches(self, max_tokens: int, rng: np.random.Generator) -> Iterator[TokenBatch]:
        """Yield one epoch in random order, sentences of like length together."""
        return training_batches(*self.training, max_tokens, rng)
