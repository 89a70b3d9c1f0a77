"""llama.cpp as the target: what is timed there, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dynas.core.bench import Bench
from dynas.data.text.language_tokenizer import EMBEDDED
from dynas.errors import DynasError
from dynas.hardware.llamacpp import LlamaCppMeter, LlamaCppNetwork
from dynas.metrics.generation import TimePerToken, TimeToFirstToken, TokensPerSecond
from dynas.metrics.language import BitsPerByte
from dynas.supernets.decoder import DecoderSupernet
from tests.helpers.supernets import narrow
from tests.metrics.test_language import texts

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp")
pytestmark = pytest.mark.slow


def supernet(**changes: Any) -> DecoderSupernet:
    settings: dict[str, Any] = {
        "weights": "random", "config": None, "widths": (0.5, 1.0), "layers": None, "skip": "inner", "groups": (1, 3),
        "feeds": (0.25, 1.0), "calibration": None, "calibration_tokens": 0, "length": 12,
    }  # fmt: skip
    return DecoderSupernet(**(settings | changes))


def meter(weights: str = "F16") -> LlamaCppMeter:
    return LlamaCppMeter(weights, 1, 1, 1, 2, 3, 1.0, 0.5)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(supernet(), texts(), meter())


@pytest.fixture(scope="module")
def subnets(bench: Bench) -> list[Any]:
    return [bench.deployed(row) for row in (bench.supernet.space.smallest(), bench.supernet.space.largest())]


def test_times_are_those_of_llamacpp(bench: Bench, subnets: list[Any]) -> None:
    for metric in (TimeToFirstToken(1, 100), TimePerToken(1, 100)):
        metric.check(bench)
        small, large = (reading.value for reading in metric.measure(subnets, bench))
        assert 0 < small < large, "two layers instead of six, and half as wide"


def test_quality_is_that_in_torch(bench: Bench, subnets: list[Any]) -> None:
    found = BitsPerByte().measure(subnets, bench)
    wanted = BitsPerByte().measure([one.subnet for one in subnets], bench)
    assert [one.value for one in found] == [one.value for one in wanted]


def test_the_last_token_of_the_longest_text_is_timed(bench: Bench, subnets: list[Any]) -> None:
    metric = TimePerToken(1, 511)
    metric.check(bench)
    assert metric.measure(subnets[:1], bench)[0].value > 0


def test_several_texts_at_a_time_are_refused(bench: Bench, subnets: list[Any]) -> None:
    with pytest.raises(DynasError, match="one text at a time: give batch_size=1"):
        TokensPerSecond(2, 10).measure(subnets, bench)


def test_spaces_that_it_does_not_load_are_refused(tmp_path: Path) -> None:
    config = dict(supernet().config.content) | {"model_type": "qwen3"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "tokenizer.json").write_bytes(EMBEDDED.read_bytes())
    skipping, qwen = supernet(groups=(0, 3)), supernet(config=str(tmp_path))
    for made, message in (
        (skipping, "cannot run all sub-networks: llama.cpp needs attention in the first layer"),
        (qwen, "loads layers of different sizes of Llama's and Qwen 2's kind only"),
    ):
        with pytest.raises(DynasError, match=message):
            meter().check(Bench(made, texts(), meter()))
    meter().check(Bench(supernet(config=str(tmp_path), groups=None, feeds=None), texts(), meter()))


def test_networks_of_images_are_refused() -> None:
    images = Bench(narrow(), texts(), meter())
    with pytest.raises(DynasError, match="hardware=llamacpp runs decoders of language, not 'mbv3'"):
        meter().check(images)


def test_precisions_are_named() -> None:
    with pytest.raises(DynasError, match=r"hardware\.weights 'F8'"):
        meter("F8")


def test_what_llamacpp_computes_otherwise_fails(bench: Bench) -> None:
    """A network whose weights were spoilt after they were written."""

    class Spoilt(DecoderSupernet):
        def checkpoint(self, subnet: torch.nn.Module, padded: bool = False) -> Any:
            found = super().checkpoint(subnet, padded)
            return type(found)(**(vars(found) | {"state": {name: 2 * one for name, one in found.state.items()}}))

    spoilt = Spoilt(
        weights="random", config=None, widths=None, layers=None, skip="inner", groups=None, feeds=None,
        calibration=None, calibration_tokens=0, length=12,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"llama\.cpp computes something else than torch"):
        Bench(spoilt, texts(), meter()).deployed(spoilt.space.smallest())


def test_it_deploys_what_the_search_draws(bench: Bench) -> None:
    for row in bench.supernet.space.sample(3, np.random.default_rng(0)):
        network = bench.deployed(row)
        assert isinstance(network, LlamaCppNetwork)
        assert network.positions == 512
