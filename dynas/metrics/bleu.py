"""BLEU of a sub-network's translations of the whole validation text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from dynas.core.activity import each
from dynas.core.metric import MeasuredMetric, Reading
from dynas.core.translation import TranslationData, Translator
from dynas.errors import DynasError
from dynas.metrics.beam_search import BeamSearch, translate

if TYPE_CHECKING:
    from dynas.core.bench import Bench


def corpus_bleu(translations: Sequence[str], references: Sequence[str]) -> float:
    """Return the BLEU of a text by sacrebleu's own rules (Post 2018, arXiv:1804.08771), in 0 to 100.

    Args:
        translations: detokenised sentences.
        references: one detokenised reference each.
    """
    from sacrebleu.metrics.bleu import BLEU

    return float(BLEU().corpus_score(list(translations), [list(references)]).score)


def tokenised_bleu(translations: Sequence[str], references: Sequence[str]) -> float:
    """Return the BLEU of a text that is already tokenised, as multi-bleu and HAT's paper report it, in 0 to 100.

    It depends on the tokeniser, is not comparable between papers and is 0 where no four words in a row are right.
    """
    from sacrebleu.metrics.bleu import BLEU

    bleu = BLEU(tokenize="none", smooth_method="none", force=True)
    return float(bleu.corpus_score(list(translations), [list(references)]).score)


class Bleu(MeasuredMetric):
    """Corpus BLEU (Papineni et al. 2002) of all validation sentences, translated by beam search.

    Args:
        beam, length_penalty, max_length_ratio, max_length_extra: see `dynas.metrics.beam_search.BeamSearch`.
        max_tokens: source tokens that are translated together, padding included.
        tokenised: False: sacrebleu on plain text; True: on tokenised text, as HAT's paper reports it.

    Raises:
        DynasError: a setting makes no sense.
    """

    task = "translation"
    portable = True

    def __init__(
        self,
        beam: int,
        length_penalty: float,
        max_length_ratio: float,
        max_length_extra: int,
        max_tokens: int,
        tokenised: bool,
    ) -> None:
        if max_tokens < 1:
            raise DynasError(f"objectives.bleu.metric.max_tokens={max_tokens}: give 1 or more")
        self.search = BeamSearch(beam, length_penalty, max_length_ratio, max_length_extra)
        self.max_tokens, self.tokenised = max_tokens, tokenised

    def check(self, bench: Bench) -> None:
        """Raise DynasError where data or supernet are not made for translation, or do not fit together."""
        data, supernet = cast(TranslationData, bench.data), bench.supernet
        subnet = supernet.subnet(supernet.space.decode(supernet.space.smallest()))
        if not isinstance(subnet, Translator):
            raise DynasError(f"supernet '{supernet.name}' does not translate: BLEU needs supernet=transformer")
        if subnet.vocabularies != (data.source_vocabulary, data.target_vocabulary):
            raise DynasError(
                "supernet.source_vocabulary={} and target_vocabulary={}, but the data have {} and {} tokens".format(
                    *subnet.vocabularies, data.source_vocabulary, data.target_vocabulary
                )
            )

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Translate the validation sentences by every sub-network."""
        data = cast(TranslationData, bench.data)
        return [Reading(self.score(cast(Translator, subnet), data)) for subnet in each(subnets)]

    def score(self, subnet: Translator, data: TranslationData) -> float:
        """Return the BLEU of one sub-network."""
        sources, threads = [source for source, _ in data.validation], torch.get_num_threads()
        found = translate(subnet, sources, self.search, self.max_tokens, threads)
        if self.tokenised:
            return tokenised_bleu([data.tokenised(ids) for ids in found], data.tokenised_references)
        return corpus_bleu([data.detokenise(ids) for ids in found], data.references)
