"""What metrics of decoders say, against what follows from their definitions."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from dynas.compose.fit import check_language
from dynas.core.bench import Bench
from dynas.core.data import IGNORED
from dynas.data.text.documents import Documents
from dynas.data.text.language_tokenizer import read_tokenizer
from dynas.errors import DynasError
from dynas.hardware.cpu import TorchCpuMeter
from dynas.metrics.generation import Memory, Prefill, Step, TimePerToken, TimeToFirstToken
from dynas.metrics.language import BitsPerByte, Divergence, Perplexity
from tests.helpers.supernets import narrow, narrow_decoder

TEXTS = ["A short text.", "Another one, a little longer.\n", "naïve"]
OWN = read_tokenizer("embedded")


def texts(window: int = 32, stride: int = 16) -> Documents:
    return Documents(["one two " * 40], TEXTS, OWN, window, stride, None, None)


@pytest.fixture(scope="module")
def bench() -> Bench:
    meter = TorchCpuMeter(threads=1, batch_size=1, warmup=0, min_repeats=2, max_repeats=3, tolerance=1.0)
    return Bench(narrow_decoder({"vocab_size": 4096}, seed=3), texts(), meter)


@pytest.fixture(scope="module")
def subnets(bench: Bench) -> list[Any]:
    space = bench.supernet.space
    return [
        bench.deployed(row) for row in (space.smallest(), *space.sample(2, np.random.default_rng(0)), space.largest())
    ]


@torch.inference_mode()
def log_probabilities(subnet: Any, text: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Log probabilities of all tokens behind each token of a text, and the tokens that really follow."""
    ids = torch.tensor(OWN.encode(text).ids)
    return subnet(ids[None, :-1])[0].double().log_softmax(-1), ids[1:]


def test_bits_per_byte_are_those_of_whole_documents(bench: Bench, subnets: list[Any]) -> None:
    found = [reading.value for reading in BitsPerByte().measure(subnets, bench)]
    for value, subnet in zip(found, subnets, strict=True):
        nats = sum(
            -float(told.gather(1, ids[:, None]).sum())
            for told, ids in (log_probabilities(subnet, one) for one in TEXTS)
        )
        assert value == pytest.approx(nats / math.log(2) / sum(len(one.encode()) for one in TEXTS), rel=1e-5)


def test_perplexity_is_the_same_surprise_by_the_token(bench: Bench, subnets: list[Any]) -> None:
    count = sum(len(OWN.encode(one).ids) - 1 for one in TEXTS)
    size = sum(len(one.encode()) for one in TEXTS)
    pairs = zip(BitsPerByte().measure(subnets, bench), Perplexity().measure(subnets, bench), strict=True)
    for bits, perplexity in pairs:
        assert perplexity.value == pytest.approx(2 ** (bits.value * size / count), rel=1e-6)


def test_the_divergence_is_from_the_whole_network(bench: Bench, subnets: list[Any]) -> None:
    found = [reading.value for reading in Divergence().measure(subnets, bench)]
    assert found[-1] == 0
    count = sum(len(OWN.encode(one).ids) - 1 for one in TEXTS)
    for value, subnet in zip(found, subnets, strict=True):
        total = 0.0
        for one in TEXTS:
            wanted, mine = log_probabilities(subnets[-1], one)[0], log_probabilities(subnet, one)[0]
            total += float((wanted.exp() * (wanted - mine)).sum())
        assert value == pytest.approx(total / count, rel=1e-3, abs=1e-7)


def test_a_longer_window_never_leaves_a_token_out(bench: Bench) -> None:
    counts = {
        (window, stride): sum(int((one != IGNORED).sum()) for _, one in texts(window, stride).validation_batches())
        for window, stride in ((4, 1), (4, 4), (8, 3), (32, 16))
    }
    assert len(set(counts.values())) == 1


def test_memory_is_what_weights_and_cache_take(bench: Bench) -> None:
    supernet: Any = bench.supernet
    rows = supernet.space.sample(4, np.random.default_rng(0))
    found = Memory("float16", "float32", 3, 10).count(supernet, rows)
    for row, value in zip(rows, found, strict=True):
        subnet = supernet.subnet(supernet.space.decode(row))
        memories = subnet.start()
        with torch.inference_mode():
            subnet.decode(torch.zeros(3, 10, dtype=torch.long), memories)
        held = sum(one.keys.nbytes + one.values.nbytes for one in memories.layers if one.keys is not None)
        weights = sum(one.half().nbytes for one in subnet.parameters())
        assert value == pytest.approx((weights + held) / 1e6, rel=1e-12)


def test_what_is_timed_is_the_next_token(subnets: list[Any]) -> None:
    tokens = torch.randint(4096, (2, 9), generator=torch.Generator().manual_seed(0))
    for subnet in subnets:
        with torch.inference_mode():
            wanted = subnet(tokens)
            torch.testing.assert_close(Prefill(subnet)(tokens[:, :8]), wanted[:, 7])
            step = Step(subnet, tokens[:, :8])
            for _ in range(2):  # from the same state
                torch.testing.assert_close(step(tokens[:, 8:]), wanted[:, 8])


@pytest.mark.parametrize("make", [TimeToFirstToken, TimePerToken])
def test_texts_that_are_too_long_are_refused(make: Any, bench: Bench) -> None:
    make(1, 63).check(bench)
    with pytest.raises(DynasError, match=r"metric\.length=64: give less than 64, the network's longest text"):
        make(1, 64).check(bench)
    with pytest.raises(DynasError, match=r"metric\.batch_size=0 metric\.length=5"):
        make(0, 5)


def test_networks_that_make_no_tokens_are_refused(bench: Bench) -> None:
    images = Bench(narrow(), bench.data, bench.meter)
    with pytest.raises(DynasError, match="run a network token by token"):
        TimePerToken(1, 5).check(images)
    with pytest.raises(DynasError, match=r"supernet 'mbv3' is no decoder"):
        Memory("int8", "int8", 1, 5).count(images.supernet, images.supernet.space.largest()[None])
    with pytest.raises(DynasError, match=r"metric\.weights=half metric\.cache=int8"):
        Memory("half", "int8", 1, 5)


def test_another_tokenizer_is_refused(bench: Bench) -> None:
    data: Any = bench.data
    supernet: Any = bench.supernet
    check_language(supernet, data)
    for settings, message in (
        ({"tokenizer_digest": "0" * 64}, r"is not that of the network, which knows 4,096"),
        ({"vocabulary": 4095}, r"is not that of the network"),
        ({"positions": 16}, r"data\.window=32 is longer than the network reads: give 16 or less"),
    ):
        other: Any = SimpleNamespace(vocabulary=4096, positions=64, tokenizer_digest=None)
        vars(other).update(settings)
        with pytest.raises(DynasError, match=message):
            check_language(other, data)
