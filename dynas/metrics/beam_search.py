"""Beam search with cached keys and values, many sentences at once.

The rules are those of fairseq's generator, on which HAT builds: a step ranks twice as many candidates as beams over
all beams of a sentence; those of the better half that end become hypotheses, the best others go on; a sentence is
done once it has as many hypotheses as beams. A hypothesis' score is its log-probability over its length to the
power of the length penalty (Wu et al. 2016, arXiv:1609.08144, use a similar one).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from dynas.core.translation import EOS, PAD, Translator
from dynas.errors import DynasError
from dynas.metrics.threads import single_threads


class Hypothesis(NamedTuple):
    """A translation: its tokens, EOS included, and its score (log-probability over length ** penalty)."""

    tokens: list[int]
    score: float


@dataclass(frozen=True)
class BeamSearch:
    """Translates batches of sentences.

    A translation has at most ``max_length_ratio`` times as many tokens as its source, plus ``max_length_extra``
    (EOS is not counted), and at least one.

    Attributes:
        beam: translations that are followed at a time; 1 is greedy search.
        length_penalty: power of the length that a log-probability is divided by; larger favours longer ones.
        max_length_ratio, max_length_extra: see above.

    Raises:
        DynasError: a setting makes no sense.
    """

    beam: int = 5
    length_penalty: float = 0.6
    max_length_ratio: float = 1.2
    max_length_extra: int = 10

    def __post_init__(self) -> None:
        if self.beam < 1 or self.max_length_ratio < 0 or self.max_length_extra < 1:
            raise DynasError(
                "beam search needs beam >= 1, max_length_ratio >= 0 and max_length_extra >= 1, got "
                f"{self.beam}, {self.max_length_ratio} and {self.max_length_extra}"
            )

    @torch.inference_mode()
    def __call__(self, network: Translator, source: Tensor) -> list[list[Hypothesis]]:
        """Return the hypotheses of each row of ``source`` ``(N, S)``, padded on any side; best ones first.

        Raises:
            DynasError: the vocabulary is too small for as many beams.
        """
        lengths = (source != PAD).sum(dim=1)
        limits = (lengths.double() * self.max_length_ratio).long() + self.max_length_extra
        limits = limits.clamp(max=network.max_positions - 1)
        found: list[list[Hypothesis]] = [[] for _ in source]
        sentence = torch.arange(len(source), device=source.device)  # which one each row of the search belongs to
        state = network.encode(source)
        scores = torch.zeros(len(source), 1, device=source.device)  # one beam at first: all would be the same
        tokens = torch.full((len(source), 1, 1), EOS, device=source.device)
        for step in range(int(limits.max()) + 1):
            logits = network.decode(tokens[:, :, -1].reshape(-1, 1), state)[:, 0]
            totals = self._allowed(logits, step, limits).view(*scores.shape, -1)
            totals += scores[:, :, None]  # in place: the vocabulary makes this the largest tensor
            best, beams, words = self._rank(totals)
            ends = words[:, : self.beam] == EOS
            self._finish(found, sentence, tokens, best, beams, ends)
            unfinished = torch.tensor([len(found[row]) < self.beam for row in sentence.tolist()], device=source.device)
            if not unfinished.any():
                break
            # the best candidates that do not end go on, in their order
            order = (words == EOS).int().sort(dim=1, stable=True).indices[:, : self.beam]
            scores, beams, words = (values.gather(1, order) for values in (best, beams, words))
            rows = beams + tokens.shape[1] * torch.arange(len(tokens), device=source.device)[:, None]
            tokens = torch.cat([tokens.flatten(0, 1)[rows], words[:, :, None]], dim=2)
            if not unfinished.all():
                kept = unfinished.nonzero()[:, 0]
                scores, tokens, rows, sentence, limits = (
                    values[kept] for values in (scores, tokens, rows, sentence, limits)
                )
                state.keep(kept)
            state.reorder(rows.flatten())
        return [sorted(one, key=lambda hypothesis: -hypothesis.score) for one in found]

    def _allowed(self, logits: Tensor, step: int, limits: Tensor) -> Tensor:
        """Return log-probabilities ``(rows, vocabulary)``, minus infinity for what must not come at this step."""
        scores = logits.log_softmax(dim=-1)
        scores[:, PAD] = -torch.inf
        if step == 0:
            scores[:, EOS] = -torch.inf
        full = (limits <= step).repeat_interleave(len(scores) // len(limits))
        if full.any():
            end = scores[full, EOS]
            scores[full] = -torch.inf
            scores[full, EOS] = end
        return scores

    def _rank(self, totals: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return score, beam and token, each ``(N, 2 * beam)``, of the best candidates ``(N, beams, vocabulary)``."""
        vocabulary = totals.shape[2]
        if 2 * self.beam >= vocabulary:
            raise DynasError(f"beam={self.beam} is too large for a vocabulary of {vocabulary} tokens")
        best, index = totals.flatten(1).topk(2 * self.beam)
        return best, index // vocabulary, index % vocabulary

    def _finish(
        self, found: list[list[Hypothesis]], sentence: Tensor, tokens: Tensor, best: Tensor, beams: Tensor, ends: Tensor
    ) -> None:
        """Add the candidates that end to their sentences' hypotheses."""
        length = tokens.shape[2]
        for row, rank in ends.nonzero().tolist():
            hypotheses = found[int(sentence[row])]
            if len(hypotheses) < self.beam:
                words = [*tokens[row, beams[row, rank], 1:].tolist(), EOS]
                hypotheses.append(Hypothesis(words, float(best[row, rank]) / length**self.length_penalty))


def pad_left(sentences: Sequence[Sequence[int]]) -> Tensor:
    """Return sentences as one tensor ``(N, longest)``, padded on the left."""
    width = max(map(len, sentences))
    return torch.tensor([[PAD] * (width - len(sentence)) + list(sentence) for sentence in sentences])


def batches_by_tokens(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Yield the indices of sentences in batches, longest first, of up to ``max_tokens`` tokens (padding included)."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > max_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def translate(
    network: Translator, sentences: Sequence[Sequence[int]], search: BeamSearch, max_tokens: int, threads: int = 1
) -> list[list[int]]:
    """Return the best translation of every source sentence, in order, without EOS.

    Args:
        network: what translates, in eval mode.
        sentences: token lists that end with EOS.
        search: how to translate.
        max_tokens: source tokens of a batch, padding included; sentences of about the same length go together.
        threads: batches that are translated at a time, each on one thread: a step is too small to be worth splitting.

    Raises:
        DynasError: a sentence is longer than the network allows, or the vocabulary too small for the beams.
    """
    longest = max(map(len, sentences), default=0)
    if longest > network.max_positions:
        raise DynasError(
            f"a sentence of {longest} tokens is longer than the supernet's max_positions={network.max_positions}: "
            "give a larger supernet.max_positions, or data without such sentences"
        )
    translations: list[list[int]] = [[] for _ in sentences]

    def translate_batch(batch: list[int]) -> None:
        found = search(network, pad_left([sentences[index] for index in batch]))
        for index, hypotheses in zip(batch, found, strict=True):
            translations[index] = hypotheses[0].tokens[:-1]

    batches = batches_by_tokens([len(sentence) for sentence in sentences], max_tokens)
    with single_threads(threads) as pool:
        list(pool.map(translate_batch, batches))
    return translations
