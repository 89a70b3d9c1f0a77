"""Tasks of lm-evaluation-harness, against what follows from log probabilities."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dynas.core.bench import Bench
from dynas.data.text.language_tokenizer import read_tokenizer
from dynas.errors import DynasError
from dynas.hardware.cpu import TorchCpuMeter
from dynas.metrics.lm_eval import LmEval
from dynas.metrics.lm_eval_model import make_model
from dynas.supernets.decoder import DecoderSupernet
from tests.helpers.language_tasks import QUESTIONS, TEXTS, write_tasks
from tests.helpers.supernets import narrow_decoder
from tests.metrics.test_language import texts

pytest.importorskip("lm_eval")
pytestmark = pytest.mark.slow

OWN = read_tokenizer("embedded")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tasks(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def bench() -> Bench:
    supernet = DecoderSupernet(
        weights="random", config=None, widths=(0.5, 1.0), layers=None, skip="inner", groups=None, feeds=None,
        calibration=None, calibration_tokens=0, length=12,
    )  # fmt: skip
    with torch.no_grad():
        for name, weight in supernet.elastic.named_parameters():
            if "proj" in name:
                weight.mul_(5)
    meter = TorchCpuMeter(threads=1, batch_size=1, warmup=0, min_repeats=2, max_repeats=3, tolerance=1.0)
    return Bench(supernet, texts(), meter)


@pytest.fixture(scope="module")
def subnets(bench: Bench) -> list[Any]:
    return [bench.deployed(row) for row in (bench.supernet.space.smallest(), bench.supernet.space.largest())]


@torch.inference_mode()
def log_probability(subnet: Any, tokens: list[int], count: int) -> float:
    """Of the last tokens of a text."""
    told = subnet(torch.tensor([tokens[:-1]]))[0].double().log_softmax(-1)
    return sum(float(told[place - 1, tokens[place]]) for place in range(len(tokens) - count, len(tokens)))


def tokens(text: str) -> list[int]:
    return OWN.encode(text).ids


def test_accuracy_is_that_of_the_likelier_ending(bench: Bench, subnets: list[Any], folder: Path) -> None:
    metric = LmEval(str(folder), "two_ways", "acc", None, 4)
    metric.check(bench)
    for reading, subnet in zip(metric.measure(subnets, bench), subnets, strict=True):
        right = 0
        for one in QUESTIONS:
            told = [
                log_probability(subnet, whole := tokens(one["q"] + end), len(whole) - len(tokens(one["q"])))
                for end in one["a"]
            ]
            right += told.index(max(told)) == one["y"]
        assert reading.value == pytest.approx(right / len(QUESTIONS))


def test_bits_per_byte_are_those_of_whole_texts(bench: Bench, subnets: list[Any], folder: Path) -> None:
    found = LmEval(str(folder), ["rolling"], "bits_per_byte", None, 2).measure(subnets, bench)
    for reading, subnet in zip(found, subnets, strict=True):
        nats = sum(-log_probability(subnet, ids := tokens(one["text"]), len(ids) - 1) for one in TEXTS)
        size = sum(len(one["text"].encode()) for one in TEXTS)
        assert reading.value == pytest.approx(nats / math.log(2) / size, rel=1e-5)


def test_texts_longer_than_the_network_reads_count_once(bench: Bench, subnets: list[Any]) -> None:
    model = make_model(subnets[0], bench.supernet, 2)
    text = "One word after another. " * 200
    ids = tokens(text)
    assert len(ids) > 512
    (found,) = model.loglikelihood_rolling([SimpleNamespace(args=(text,))])
    first = log_probability(subnets[0], ids[:513], 512)
    last = log_probability(subnets[0], ids[-513:], len(ids) - 513)
    assert found == pytest.approx(first + last, rel=1e-5)


def test_texts_are_continued_greedily_up_to_what_ends_them(bench: Bench, subnets: list[Any], folder: Path) -> None:
    model = make_model(subnets[0], bench.supernet, 2)
    ids = tokens("The")
    with torch.inference_mode():
        for _ in range(5):
            ids.append(int(subnets[0](torch.tensor([ids]))[0, -1].argmax()))
    wanted = OWN.decode(ids[2:])
    request = SimpleNamespace(args=("The", {"until": [], "max_gen_toks": 5}))
    assert model.generate_until([request]) == [wanted]
    end = wanted[3:5]
    request = SimpleNamespace(args=("The", {"until": [end], "max_gen_toks": 5}))
    assert model.generate_until([request]) == [wanted[: wanted.index(end)]]
    assert LmEval(str(folder), "words", "exact_match", 3, 2).measure(subnets[:1], bench)[0].value == 0


def test_the_mean_is_over_tasks(bench: Bench, subnets: list[Any], folder: Path, capsys: Any) -> None:
    twice = LmEval(str(folder), ["two_ways", "two_ways"], "acc", 3, 2).measure(subnets[:1], bench)[0].value
    assert twice == LmEval(str(folder), ["two_ways"], "acc", 3, 2).measure(subnets[:1], bench)[0].value
    assert capsys.readouterr() == ("", ""), "the harness is silent"


def test_what_is_not_there_is_told_in_a_sentence(bench: Bench, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=r"metric\.tasks 'three_ways': choose one of rolling, two_ways"):
        LmEval(str(folder), "three_ways", "acc", None, 2).check(bench)
    with pytest.raises(DynasError, match=r"metric\.score of 'two_ways' 'f1': choose one of acc"):
        LmEval(str(folder), "two_ways", "f1", None, 2).check(bench)
    with pytest.raises(DynasError, match="give a folder with tasks, and names"):
        LmEval(str(folder / "none"), "two_ways", "acc", None, 2)
    with pytest.raises(DynasError, match=r"metric\.limit=0: give 1 or more"):
        LmEval(str(folder), "two_ways", "acc", 0, 2)
    nameless = Bench(narrow_decoder(), bench.data, bench.meter)
    with pytest.raises(DynasError, match=r"put the network's tokenizer\.json beside its weights"):
        LmEval(str(folder), "two_ways", "acc", None, 2).check(nameless)
    (tmp_path / "broken.yaml").write_text(
        "task: broken\ndataset_path: json\ndataset_kwargs: {data_files: nowhere.json}"
    )
    with pytest.raises(DynasError, match="cannot be read"):
        LmEval(str(tmp_path), "broken", "acc", None, 2).check(bench)
