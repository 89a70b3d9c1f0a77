"""How fast beam search is: batched, sorted and cached against plain decoding of one sentence at a time.

    python scripts/benchmarks/decoding.py            # a narrow network of 1,000 tokens
    python scripts/benchmarks/decoding.py --full     # HAT's network of 32,768 tokens (a few minutes)

Weights are random and sentences have 5 to 30 random tokens, so that few translations end before their limit of 1.2
times the source plus 10 tokens. Seconds are CPU seconds of one thread. Both ways give the same translations.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from dynas.core.translation import EOS, PAD, UNK
from dynas.metrics.beam_search import BeamSearch, Hypothesis, translate
from dynas.supernets.hat.network import Transformer
from dynas.supernets.transformer import TransformerSupernet


def make(full: bool) -> TransformerSupernet:
    """Return an untrained supernet of HAT's sizes, or an eighth of them."""
    embed, hidden, qkv, tokens = (64, 80), (128, 256, 384), 64, 1000
    if full:
        embed, hidden, qkv, tokens = (512, 640), (1024, 2048, 3072), 512, 32768
    return TransformerSupernet("random", tokens, tokens, True, embed, hidden, (4, 8), qkv, 6, 6, 1024, 30, 5)


def plain_beam_search(network: Transformer, source: list[int], search: BeamSearch) -> list[Hypothesis]:
    """Translate one sentence by the same rules, without caches: every step decodes every prefix anew."""
    limit = min(int(len(source) * search.max_length_ratio) + search.max_length_extra, network.max_positions - 1)
    beams: list[tuple[list[int], float]] = [([EOS], 0.0)]
    done: list[Hypothesis] = []
    with torch.inference_mode():
        for step in range(limit + 1):
            candidates: list[tuple[float, list[int]]] = []
            for tokens, total in beams:
                logits = network(torch.tensor([source]), torch.tensor([tokens]))[0, -1]
                scores = logits.log_softmax(0)
                scores[PAD] = -torch.inf
                if step == 0:
                    scores[EOS] = -torch.inf
                if step == limit:
                    scores[torch.arange(len(scores)) != EOS] = -torch.inf
                best = (scores + total).topk(2 * search.beam)
                candidates += [
                    (score, [*tokens, token])
                    for score, token in zip(best.values.tolist(), best.indices.tolist(), strict=True)
                ]
            ranked = sorted(candidates, key=lambda candidate: -candidate[0])[: 2 * search.beam]
            for score, tokens in ranked[: search.beam]:
                if tokens[-1] == EOS and len(done) < search.beam:
                    done.append(Hypothesis(tokens[1:], score / (step + 1) ** search.length_penalty))
            if len(done) == search.beam:
                break
            beams = [(tokens, score) for score, tokens in ranked if tokens[-1] != EOS][: search.beam]
    return sorted(done, key=lambda hypothesis: -hypothesis.score)


def plainly(network: Transformer, search: BeamSearch, sentences: list[list[int]]) -> list[list[int]]:
    """Return the best translation of every sentence, without EOS."""
    return [plain_beam_search(network, sentence, search)[0].tokens[:-1] for sentence in sentences]


def sentences_per_second(decode: Callable[[list[list[int]]], object], sentences: list[list[int]]) -> float:
    """Return how many sentences ``decode`` translates in a second of CPU time."""
    start = time.process_time()
    decode(sentences)
    return len(sentences) / (time.process_time() - start)


def main() -> None:
    """Print sentences per second of the smallest and the largest sub-network, in both ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="HAT's network instead of a narrow one")
    parser.add_argument("--sentences", type=int, default=500, help="how many to translate in batches")
    parser.add_argument("--plain", type=int, default=5, help="how many to translate one by one without caches")
    parser.add_argument("--max-tokens", type=int, default=2048, help="source tokens of a batch")
    options = parser.parse_args()
    torch.set_num_threads(1)
    supernet = make(options.full)
    vocabulary = supernet.shape.source_vocabulary
    rng = np.random.default_rng(0)
    sources = [
        [*rng.integers(UNK + 1, vocabulary, length - 1).tolist(), EOS]
        for length in rng.integers(5, 31, options.sentences)
    ]
    few = sources[: options.plain]
    search = BeamSearch()
    for which in ("smallest", "largest"):
        network = supernet.subnet(supernet.space.decode(getattr(supernet.space, which)()))
        translate(network, few, search, options.max_tokens)
        ways: list[Callable[[list[list[int]]], object]] = [
            partial(translate, network, search=search, max_tokens=options.max_tokens),
            partial(translate, network, search=search, max_tokens=1),
            partial(plainly, network, search),
        ]
        rates = [sentences_per_second(way, some) for way, some in zip(ways, (sources, few, few), strict=True)]
        fast, one, slow = rates
        print(
            f"{which:8}  batched and cached {fast:8.2f} sentences/s  cached alone {one:8.2f}  plain {slow:8.2f}  "
            f"ratio {fast / slow:6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
