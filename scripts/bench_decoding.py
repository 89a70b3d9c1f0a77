"""How fast beam search is: batched, sorted and cached against plain decoding of one sentence at a time.

    PYTHONPATH=. python scripts/bench_decoding.py            # a narrow network of 1,000 tokens
    PYTHONPATH=. python scripts/bench_decoding.py --full     # HAT's network of 32,768 tokens (a few minutes)

Weights are random and sentences have 5 to 30 random tokens; both ways give the same translations.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from dynas.metrics.beam_search import BeamSearch, Hypothesis, translate
from dynas.supernets.transformer import Transformer, TransformerSupernet
from dynas.supernets.transformer_layers import EOS, PAD, UNK

NARROW = {"embed_dims": (64, 80), "ffn_dims": (128, 256, 384), "qkv_dim": 64}
FULL = {"embed_dims": (512, 640), "ffn_dims": (1024, 2048, 3072), "qkv_dim": 512}


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


def sentences_per_second(n: int, decode: Callable[[], object]) -> float:
    """Return how many of ``n`` sentences ``decode`` translates in a second."""
    start = time.perf_counter()
    decode()
    return n / (time.perf_counter() - start)


def main() -> None:
    """Print sentences per second of the smallest and the largest sub-network, in both ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="HAT's network instead of a narrow one")
    parser.add_argument("--sentences", type=int, default=500, help="how many to translate in batches")
    parser.add_argument("--plain", type=int, default=5, help="how many to translate one by one without caches")
    parser.add_argument("--max-tokens", type=int, default=2048, help="source tokens of a batch")
    options = parser.parse_args()
    torch.set_num_threads(1)
    vocabulary = 32768 if options.full else 1000
    sizes = FULL if options.full else NARROW
    supernet = TransformerSupernet(
        "random", vocabulary, vocabulary, True, **sizes, heads=(4, 8), encoder_layers=6, decoder_layers=6,
        max_positions=1024, sentence_length=30, latency_beam=5,
    )  # fmt: skip
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
        fast = sentences_per_second(len(sources), lambda: translate(network, sources, search, options.max_tokens))  # noqa: B023
        one = sentences_per_second(len(few), lambda: translate(network, few, search, 1))  # noqa: B023
        slow = sentences_per_second(len(few), lambda: [plain_beam_search(network, few_, search) for few_ in few])  # noqa: B023
        print(
            f"{which:8}  batched and cached {fast:8.2f} sentences/s  cached alone {one:8.2f}  plain {slow:8.2f}  "
            f"ratio {fast / slow:6.1f}"
        )


if __name__ == "__main__":
    main()
