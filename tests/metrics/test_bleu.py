from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from sacrebleu.metrics.bleu import BLEU
from torch import Tensor, nn

from dynas import DynasError
from dynas.core.bench import Bench
from dynas.core.translation import EOS, PAD, Pair, TokenBatch, TranslationData
from dynas.data.fashion_mnist import FashionMNIST
from dynas.metrics.bleu import Bleu, corpus_bleu, tokenised_bleu
from dynas.metrics.measurer import check_task
from tests.helpers.supernets import narrow, narrow_transformer

TEXT = "the cat , dog 's house is in a big garden and sees red blue birds fly high ."
WORDS = TEXT.split()  # of the ids from 4 on
SETTINGS: dict[str, Any] = {
    "beam": 2,
    "length_penalty": 0.6,
    "max_length_ratio": 1.0,
    "max_length_extra": 3,
    "max_tokens": 40,
    "tokenised": False,
}


def settings(**changes: Any) -> Bleu:
    return Bleu(**(SETTINGS | changes))


class Sentences(TranslationData):
    """A task in which a translation repeats its source: `dynas.core.translation.TranslationData`, in memory."""

    source_vocabulary = target_vocabulary = 4 + len(WORDS)
    digest = "none"

    def __init__(self, n: int) -> None:
        rng = np.random.default_rng(0)
        rows = [[*rng.integers(4, 4 + len(WORDS), length).tolist(), EOS] for length in rng.integers(4, 15, n)]
        self.validation: Sequence[Pair] = [(row, row) for row in rows]
        self.references = [self.detokenise(row) for row in rows]
        self.tokenised_references = [self.tokenised(row) for row in rows]

    def tokenised(self, ids: Sequence[int]) -> str:
        return " ".join(WORDS[id - 4] for id in ids if id > EOS)

    def detokenise(self, ids: Sequence[int]) -> str:
        return self.tokenised(ids).replace(" ,", ",").replace(" .", ".").replace(" 's", "'s")

    def training_steps(self, max_tokens: int) -> int:
        return 0

    def training_batches(self, max_tokens: int, rng: np.random.Generator) -> Iterator[TokenBatch]:
        yield from ()


class Rows:
    """A decoder state that is the source itself."""

    def __init__(self, source: Tensor) -> None:
        self.source, self.length, self.rows = source, 0, torch.arange(len(source))

    def keep(self, sentences: Tensor) -> None:
        self.source = self.source[sentences]

    def reorder(self, rows: Tensor) -> None:
        pass


class Copier(nn.Module):
    """Translates by repeating the source; every sentence with an even first word gets a wrong second one."""

    max_positions = 64
    vocabularies = (Sentences.source_vocabulary, Sentences.target_vocabulary)

    def __init__(self, wrong: bool) -> None:
        super().__init__()
        self.wrong = wrong

    def encode(self, source: Tensor) -> Rows:
        return Rows(source)

    def decode(self, tokens: Tensor, state: Rows) -> Tensor:
        beams = len(tokens) // len(state.source)
        wanted = [self.next_word(row[row != PAD].tolist(), state.length) for row in state.source for _ in range(beams)]
        state.length += 1
        return 20 * nn.functional.one_hot(torch.tensor(wanted), self.vocabularies[1]).float()[:, None]

    def next_word(self, source: list[int], step: int) -> int:
        if self.wrong and step == 1 and source[0] % 2 == 0:
            return 4
        return source[min(step, len(source) - 1)]

    def translation(self, source: list[int]) -> list[int]:
        return [self.next_word(source, step) for step in range(len(source) - 1)]


def bench(data: Any, supernet: Any = None) -> Bench:
    return Bench(supernet or narrow_transformer(), data, None)  # type: ignore[arg-type]


def test_a_perfect_translation_of_every_sentence_has_100() -> None:
    for metric in (settings(), settings(tokenised=True), settings(beam=1, max_tokens=1)):
        (reading,) = metric.measure([Copier(wrong=False)], bench(Sentences(30)))
        assert reading.value == pytest.approx(100)


def test_bleu_is_that_of_the_whole_text_and_not_a_mean_of_batches() -> None:
    data, copier = Sentences(40), Copier(wrong=True)
    found = [copier.translation(source) for source, _ in data.validation]
    texts = [data.detokenise(ids) for ids in found]
    (reading,) = settings().measure([copier], bench(data))
    assert 50 < reading.value < 99
    assert reading.value == pytest.approx(BLEU().corpus_score(texts, [data.references]).score)
    single = [
        BLEU().corpus_score([text], [[wanted]]).score for text, wanted in zip(texts, data.references, strict=True)
    ]
    assert abs(np.mean(single) - reading.value) > 0.1
    (tokenised,) = settings(tokenised=True).measure([copier], bench(data))
    words = BLEU(tokenize="none", force=True).corpus_score(
        list(map(data.tokenised, found)), [data.tokenised_references]
    )
    assert tokenised.value == pytest.approx(words.score)
    assert tokenised.value != pytest.approx(reading.value)


def test_bleu_by_hand() -> None:
    # 4, 2, 0 and 0 of 5, 4, 3 and 2 n-grams are right, smoothed to 1/2 and 1/4 of one
    wanted = 100 * (4 / 5 * 2 / 4 * 0.5 / 3 * 0.25 / 2) ** 0.25
    assert corpus_bleu(["the cat big is here"], ["the cat was is here"]) == pytest.approx(wanted)
    assert tokenised_bleu(["the cat big is here"], ["the cat was is here"]) == 0
    assert corpus_bleu(["a b c d"], ["a b c d e"]) == pytest.approx(100 * np.exp(1 - 5 / 4))
    assert tokenised_bleu(["a b c d ."], ["a b c d ."]) == pytest.approx(100)


def test_a_real_sub_network_is_measured_and_an_untrained_one_is_poor() -> None:
    tokens = Sentences.source_vocabulary
    supernet = narrow_transformer(source_vocabulary=tokens, target_vocabulary=tokens)
    subnets = [
        supernet.subnet(supernet.space.decode(row)) for row in (supernet.space.smallest(), supernet.space.largest())
    ]
    readings = settings().measure(subnets, bench(Sentences(10), supernet))
    assert len(readings) == 2
    assert all(0 <= reading.value < 20 for reading in readings)
    assert readings == settings().measure(subnets, bench(Sentences(10), supernet))


def test_what_does_not_translate_is_refused() -> None:
    with pytest.raises(DynasError, match=r"bleu judges translation, but the data are for classification: .*=top1"):
        check_task("bleu", settings(), bench(FashionMNIST("embedded", 2, 10, 10)))
    with pytest.raises(DynasError, match="source_vocabulary=100 and target_vocabulary=100, but the data have 23 and"):
        settings().check(bench(Sentences(2)))
    with pytest.raises(DynasError, match="bleu judges translation, but supernet 'mbv3' is made for classification"):
        check_task("bleu", settings(), bench(Sentences(2), narrow()))


@pytest.mark.parametrize("change", [{"max_tokens": 0}, {"beam": 0}, {"max_length_extra": 0}], ids=str)
def test_settings_that_make_no_sense_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(DynasError, match=next(iter(change))):
        settings(**change)
