from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from decoding import plain_beam_search  # the benchmark's: one sentence, without caches
from dynas import DynasError
from dynas.core.translation import EOS, PAD, UNK
from dynas.metrics.beam_search import BeamSearch, batches_by_tokens, pad_left, translate
from dynas.supernets.hat.layers import DecoderState
from dynas.supernets.hat.network import Transformer
from dynas.supernets.transformer import TransformerSupernet

pytestmark = pytest.mark.slow

TOKENS = 30


@lru_cache
def supernet() -> TransformerSupernet:
    return TransformerSupernet(
        "random", TOKENS, TOKENS, True, (16, 24), (32, 48), (1, 2), 16, 3, 3, max_positions=40, sentence_length=8,
        latency_beam=5,
    )  # fmt: skip


def network(seed: int, confident: float = 4.0) -> Transformer:
    """A random sub-network in double precision, whose translations end here and there."""
    rng = np.random.default_rng(seed)
    space = supernet().space
    subnet = supernet().subnet(space.decode(space.sample(1, rng)[0])).double()
    with torch.no_grad():
        last = subnet.decoder.layers[-1].get_parameter("final_layer_norm.weight")
        last.copy_(torch.from_numpy(rng.normal(0, confident / 4, last.shape)))  # else it repeats what it reads
        subnet.decoder.embed_tokens.weight.copy_(
            torch.from_numpy(rng.normal(0, 0.3, subnet.decoder.embed_tokens.weight.shape))
        )
        subnet.decoder.embed_tokens.weight[EOS] *= 1.5
    return subnet


def sentences(rng: np.random.Generator, n: int) -> list[list[int]]:
    return [[*rng.integers(UNK + 1, TOKENS, length - 1).tolist(), EOS] for length in rng.integers(1, 9, n)]


@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 6),
    beam=st.integers(1, 6),
    penalty=st.sampled_from([0.0, 0.6, 1.0, 2.0]),
    ratio=st.sampled_from([0.0, 0.7, 1.2]),
    extra=st.integers(1, 9),
)
@settings(max_examples=40)
def test_batches_with_caches_find_what_plain_decoding_finds(
    seed: int, n: int, beam: int, penalty: float, ratio: float, extra: int
) -> None:
    search, subnet = BeamSearch(beam, penalty, ratio, extra), network(seed)
    sources = sentences(np.random.default_rng(seed), n)
    for source, found in zip(sources, search(subnet, pad_left(sources)), strict=True):
        wanted = plain_beam_search(subnet, source, search)
        assert [one.tokens for one in found] == [one.tokens for one in wanted]
        np.testing.assert_allclose([one.score for one in found], [one.score for one in wanted], rtol=1e-9)


def test_the_random_networks_end_at_different_lengths() -> None:
    search = BeamSearch(3, 0.6, 0, 12)
    lengths = [
        len(hypotheses[0].tokens)
        for seed in range(10)
        for hypotheses in search(network(seed), pad_left(sentences(np.random.default_rng(seed), 5)))
    ]
    assert min(lengths) < 6 < 12 < max(lengths)


@given(seed=st.integers(0, 2**32), beam=st.integers(1, 5), ratio=st.sampled_from([0.0, 0.5, 2.0]))
@settings(max_examples=20)
def test_hypotheses_are_well_formed_and_best_ones_come_first(seed: int, beam: int, ratio: float) -> None:
    sources = sentences(np.random.default_rng(seed), 4)
    for source, found in zip(sources, BeamSearch(beam, 0.6, ratio, 3)(network(seed), pad_left(sources)), strict=True):
        assert len(found) == beam
        assert len({tuple(one.tokens) for one in found}) == beam
        scores = [one.score for one in found]
        assert scores == sorted(scores, reverse=True)
        for one in found:
            assert one.tokens[-1] == EOS
            assert EOS not in one.tokens[:-1]
            assert PAD not in one.tokens
            assert 2 <= len(one.tokens) <= int(ratio * len(source)) + 3 + 1


@given(seed=st.integers(0, 2**32), beam=st.integers(1, 5))
@settings(max_examples=15)
def test_a_score_is_the_log_probability_over_the_length_to_the_power_of_the_penalty(seed: int, beam: int) -> None:
    subnet = network(seed)
    (source,) = sentences(np.random.default_rng(seed), 1)
    for one in BeamSearch(beam, 0.6, 0, 7)(subnet, pad_left([source]))[0]:
        with torch.inference_mode():
            logits = subnet(torch.tensor([source]), torch.tensor([[EOS, *one.tokens[:-1]]]))[0]
        total = logits.log_softmax(1)[torch.arange(len(one.tokens)), one.tokens].sum()
        assert one.score == pytest.approx(float(total) / len(one.tokens) ** 0.6, rel=1e-9)


def test_a_larger_length_penalty_favours_longer_translations() -> None:
    def mean_length(penalty: float) -> float:
        search = BeamSearch(4, penalty, 0, 15)
        found = [search(network(seed), pad_left([[7, 8, EOS]]))[0] for seed in range(12)]
        return float(np.mean([len(hypotheses[0].tokens) for hypotheses in found]))

    assert mean_length(0.0) + 1 < mean_length(3.0)


def test_sentences_that_are_done_cost_nothing_more() -> None:
    rows: list[int] = []

    class Spy:
        """Counts the rows of every decoder step."""

        max_positions, vocabularies = 40, (TOKENS, TOKENS)

        def __init__(self, subnet: Transformer) -> None:
            self.subnet = subnet

        def encode(self, source: Tensor) -> DecoderState:
            return self.subnet.encode(source)

        def decode(self, tokens: Tensor, state: DecoderState) -> Tensor:
            rows.append(len(tokens))
            return self.subnet.decode(tokens, state)

    rng = np.random.default_rng(0)
    sources = sentences(rng, 30)
    found = BeamSearch(2, 0.6, 0, 30)(Spy(network(3)), pad_left(sources))
    ends = [max(len(one.tokens) for one in hypotheses) for hypotheses in found]
    assert min(ends) < max(ends)
    assert len(rows) == max(ends)
    assert rows == [30] + [2 * sum(end > step for end in ends) for step in range(1, max(ends))]


def test_translations_come_in_the_order_of_their_sentences_whatever_the_batches() -> None:
    subnet, search = network(5), BeamSearch(3, 0.6, 1.2, 5)
    sources = sentences(np.random.default_rng(5), 40)
    alone = [search(subnet, torch.tensor([source]))[0][0].tokens[:-1] for source in sources]
    assert len({tuple(one) for one in alone}) > 10
    for max_tokens in (1, 20, 10_000):
        assert translate(subnet, sources, search, max_tokens) == alone
    assert translate(subnet, [], search, 100) == []


def test_batches_are_shared_out_among_threads_and_translated_alike() -> None:
    subnet, search = network(5), BeamSearch(3, 0.6, 1.2, 5)
    sources = sentences(np.random.default_rng(5), 40)
    threads, before = [], torch.get_num_threads()

    class Spy(BeamSearch):
        def __call__(self, network: Any, source: Tensor) -> Any:
            threads.append((threading.get_ident(), torch.get_num_threads()))
            return super().__call__(network, source)

    try:
        torch.set_num_threads(2)
        found = translate(subnet, sources, Spy(3, 0.6, 1.2, 5), 20, threads=2)
        assert torch.get_num_threads() == 2, "put back"
    finally:
        torch.set_num_threads(before)
    assert found == translate(subnet, sources, search, 20)
    assert {wanted for _, wanted in threads} == {1}
    assert len({thread for thread, _ in threads}) == 2


@given(lengths=st.lists(st.integers(1, 50), max_size=60), max_tokens=st.integers(1, 200))
def test_batches_hold_every_sentence_once_within_their_tokens(lengths: list[int], max_tokens: int) -> None:
    batches = list(batches_by_tokens(lengths, max_tokens))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        widths = [lengths[index] for index in batch]
        assert len(batch) == 1 or len(batch) * max(widths) <= max_tokens
    flat = [lengths[index] for batch in batches for index in batch]
    assert flat == sorted(flat, reverse=True)


@pytest.mark.parametrize("setting", [{"beam": 0}, {"max_length_ratio": -1.0}, {"max_length_extra": 0}], ids=str)
def test_settings_that_make_no_sense_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(DynasError, match="beam search needs beam >= 1, max_length_ratio >= 0"):
        BeamSearch(**setting)


def test_more_beams_than_the_vocabulary_can_fill_are_refused() -> None:
    with pytest.raises(DynasError, match=f"beam=15 is too large for a vocabulary of {TOKENS}"):
        BeamSearch(15)(network(0), torch.tensor([[5, EOS]]))


def test_a_sentence_beyond_the_positions_is_refused() -> None:
    with pytest.raises(DynasError, match="a sentence of 41 tokens is longer than the supernet's max_positions=40"):
        translate(network(0), [[5] * 40 + [EOS]], BeamSearch(), 100)


def test_no_translation_goes_beyond_the_positions() -> None:
    (found,) = BeamSearch(2, 0.6, 10.0, 10)(network(1, confident=0.01), torch.tensor([[5] * 20 + [EOS]]))
    assert max(len(one.tokens) for one in found) == 40
