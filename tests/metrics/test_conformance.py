"""Every metric keeps the promises of metrics, and so does a user's own one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import torch

from dynas.core.bench import Bench
from dynas.core.recommendation import RecommendationData
from dynas.data.brown import brown
from dynas.data.fashion_mnist import FashionMNIST
from dynas.data.imagenet_surrogate import ImageNetSurrogate
from dynas.data.movielens import movielens
from dynas.data.phrases import phrases
from dynas.data.sentiment import sentiment
from dynas.hardware.cpu import TorchCpuMeter
from dynas.hardware.lookup import LookupTable
from dynas.metrics.accuracy import Top1
from dynas.metrics.bleu import Bleu
from dynas.metrics.cost import Macs, Params, ParamsWithoutEmbeddings
from dynas.metrics.generation import Memory, TimePerToken, TimeToFirstToken, TokensPerSecond
from dynas.metrics.language import BitsPerByte, Divergence, Perplexity
from dynas.metrics.latency import Latency, Throughput
from dynas.metrics.lm_eval import LmEval
from dynas.metrics.ranking import HitRate, Ndcg
from dynas.metrics.size import Size
from dynas.metrics.texts import Accuracy
from dynas.supernets.decoder import DecoderSupernet
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.testing import MetricSuite
from tests.helpers.language_tasks import write_tasks
from tests.helpers.own.mine import Confidence, Perceptrons
from tests.helpers.supernets import narrow, narrow_bert, narrow_decoder, narrow_transformer, odd_ncf


def meter() -> TorchCpuMeter:
    return TorchCpuMeter(threads=1, batch_size=1, warmup=0, min_repeats=2, max_repeats=3, tolerance=1.0)


def images(supernet: Any = None) -> Bench:
    return Bench(supernet or narrow(), FashionMNIST("embedded", 2, 100, 40), meter())


def own() -> Bench:
    with torch.random.fork_rng(devices=[]):
        return images(Perceptrons())


def films() -> Bench:
    data: RecommendationData = movielens()
    return Bench(odd_ncf(users=data.users, items=data.items), data, meter())


def sentences() -> Bench:
    data = phrases(12, 0)
    supernet = narrow_transformer(source_vocabulary=data.source_vocabulary, target_vocabulary=data.target_vocabulary)
    return Bench(supernet, data, meter())


def reviews() -> Bench:
    data = sentiment(60, "embedded", 20, 0)
    return Bench(narrow_bert(vocabulary=data.vocabulary, classes=2), data, meter())


def prose() -> Bench:
    data = brown("embedded", None, 32, 16, 6, None)
    return Bench(narrow_decoder({"vocab_size": data.vocabulary}), data, meter())


def words() -> Bench:
    """Return a bench of decoders with a tokenizer of their own."""
    supernet = DecoderSupernet(
        weights="random", config=None, widths=(0.5, 1.0), layers=None, skip="inner", groups=None, feeds=None,
        calibration=None, calibration_tokens=0, length=12,
    )  # fmt: skip
    return Bench(supernet, brown("embedded", None, 32, 16, 2, None), meter())


@lru_cache
def tasks() -> str:
    return str(write_tasks(Path(mkdtemp())))


@lru_cache
def table() -> LookupTable:
    return LookupTable("note10", 1.2)


@lru_cache
def surrogate() -> ImageNetSurrogate:
    return ImageNetSurrogate("embedded")


@lru_cache
def modelled() -> Bench:
    supernet = MobileNetV3Supernet("random", 1.0, (224, 224), 3, 1000, 2, (2, 2, 2, 1, 2))
    return Bench(supernet, surrogate(), table())


class TestTop1(MetricSuite):
    make = staticmethod(Top1)
    make_bench = staticmethod(images)


class TestAccuracy(MetricSuite):
    make = staticmethod(Accuracy)
    make_bench = staticmethod(reviews)


class TestBitsPerByte(MetricSuite):
    make = staticmethod(BitsPerByte)
    make_bench = staticmethod(prose)


class TestPerplexity(MetricSuite):
    make = staticmethod(Perplexity)
    make_bench = staticmethod(prose)


class TestDivergence(MetricSuite):
    make = staticmethod(Divergence)
    make_bench = staticmethod(prose)


class TestLmEval(MetricSuite):
    make = staticmethod(lambda: LmEval(tasks(), "two_ways", "acc", 4, 4))
    make_bench = staticmethod(words)

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("lm_eval")


class TestTimeToFirstToken(MetricSuite):
    make = staticmethod(lambda: TimeToFirstToken(2, 5))
    make_bench = staticmethod(prose)


class TestTimePerToken(MetricSuite):
    make = staticmethod(lambda: TimePerToken(1, 5))
    make_bench = staticmethod(prose)


class TestTokensPerSecond(MetricSuite):
    make = staticmethod(lambda: TokensPerSecond(3, 5))
    make_bench = staticmethod(prose)


class TestMemory(MetricSuite):
    make = staticmethod(lambda: Memory("float16", "float32", 2, 20))
    make_bench = staticmethod(prose)


class TestSize(MetricSuite):
    make = staticmethod(Size)
    make_bench = staticmethod(images)


class TestMacs(MetricSuite):
    make = staticmethod(Macs)
    make_bench = staticmethod(images)


class TestParams(MetricSuite):
    make = staticmethod(Params)
    make_bench = staticmethod(images)


class TestLatency(MetricSuite):
    make = staticmethod(Latency)
    make_bench = staticmethod(images)


class TestThroughput(MetricSuite):
    make = staticmethod(lambda: Throughput(2))
    make_bench = staticmethod(images)


class TestConfidence(MetricSuite):
    make = staticmethod(Confidence)
    make_bench = staticmethod(own)


class TestHitRate(MetricSuite):
    make = staticmethod(lambda: HitRate(10))
    make_bench = staticmethod(films)


class TestNdcg(MetricSuite):
    make = staticmethod(lambda: Ndcg(10))
    make_bench = staticmethod(films)


class TestParamsWithoutEmbeddings(MetricSuite):
    make = staticmethod(ParamsWithoutEmbeddings)
    make_bench = staticmethod(films)


class TestBleu(MetricSuite):
    make = staticmethod(lambda: Bleu(2, 0.6, 0.5, 2, 400, tokenised=False))
    make_bench = staticmethod(sentences)
    samples = 1


class TestModelledTop1(MetricSuite):
    make = staticmethod(lambda: surrogate().replaces["top1"])
    make_bench = staticmethod(modelled)


class TestTableLatency(MetricSuite):
    make = staticmethod(lambda: table().replaces["latency"])
    make_bench = staticmethod(modelled)
