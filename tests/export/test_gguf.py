"""GGUF files compute in llama.cpp what sub-networks compute, and what it would take otherwise is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dynas.data.text.language_tokenizer import EMBEDDED
from dynas.export.gguf import Gguf, refusal
from dynas.export.network import Network
from dynas.export.vocabulary import SPLITS, split_of, vocabulary_hindrance
from dynas.supernets.decoder import DecoderSupernet
from tests.helpers import hugging_face

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp")

pytestmark = pytest.mark.slow

EXACT = Gguf("F32", 1e-3)
CLOSE = {"gemma3_text": 1e-3}  # llama.cpp takes its activation from a table in half precision
KINDS = ("llama", "llama tied, with biases", "llama 3", "llama stretched", "qwen2", "qwen3", "gemma3 of its own scale")


def read(kind: str, folder: Path) -> DecoderSupernet:
    """Return a network of 4,096 tokens with the embedded tokenizer."""
    hugging_face.save(hugging_face.decoder(kind, 4096), folder)
    (folder / "tokenizer.json").write_bytes(EMBEDDED.read_bytes())
    settings = {"widths": (8, 1.0), "skip": (1, 2), "groups": (0, 1, 2, 3), "feeds": (0.2, 0.6, 1.0)}
    return DecoderSupernet(
        weights=str(folder), config=None, layers=None, calibration=None, calibration_tokens=0, length=12, **settings
    )


@pytest.fixture(scope="module", params=KINDS)
def supernet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DecoderSupernet:
    return read(request.param, tmp_path_factory.mktemp("folder"))


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> DecoderSupernet:
    return read("llama", tmp_path_factory.mktemp("llama"))


def network(supernet: DecoderSupernet, **changes: Any) -> Network:
    architecture = supernet.space.decode(supernet.space.largest()) | changes
    return Network(supernet.subnet(architecture), supernet, architecture, {})


def test_layers_that_are_alike_go_out_as_what_they_are(supernet: DecoderSupernet, tmp_path: Path) -> None:
    for changes in ({}, {"width": 8, "keep": [1, 0], "groups": [1] * 4, "feed": [8] * 4}):
        small = network(supernet, **changes)
        assert EXACT.refusal(small) is None
        EXACT.save(small, tmp_path)
        assert EXACT.difference(small, tmp_path) <= CLOSE.get(supernet.config.content["model_type"], 1e-5)


def test_layers_that_differ_go_out_of_llamas_kind_only(supernet: DecoderSupernet, tmp_path: Path) -> None:
    mixed = network(supernet, width=8, keep=[1, 1], groups=[1, 0, 2 if supernet.config.groups > 2 else 1, 1],
                    feed=[8, 24, supernet.config.units, 8])  # fmt: skip
    if supernet.config.content["model_type"] not in ("llama", "qwen2"):
        assert EXACT.refusal(mixed) == "llama.cpp loads layers of different sizes of Llama's and Qwen 2's kind only"
        return
    assert EXACT.refusal(mixed) is None
    EXACT.save(mixed, tmp_path)
    assert EXACT.difference(mixed, tmp_path) <= 1e-5


def test_precisions_are_near_and_smaller(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"widths": (0.5, 1.0), "layers": None, "skip": "inner", "groups": None, "feeds": None}
    supernet = DecoderSupernet(
        weights="random", config=None, calibration=None, calibration_tokens=0, length=12, **settings
    )
    small = network(supernet, width=96)
    sizes = []
    for form in (EXACT, Gguf("F16", 2e-3), Gguf("Q8_0", 3e-2)):
        form.save(small, tmp_path)
        assert form.difference(small, tmp_path) <= form.TOLERANCE
        sizes.append((tmp_path / form.FILES[0]).stat().st_size)
    assert sizes[0] > 1.8 * sizes[1] > 3 * sizes[2]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("mistral with a window", "a window of attention of Gemma's kind only"),
        ("qwen2 with windows", "a window of attention of Gemma's kind only"),
        ("gemma3", "scales attention by the size of its heads"),
    ],
)
def test_what_llamacpp_would_take_otherwise_is_refused(kind: str, why: str, tmp_path: Path) -> None:
    assert why in str(EXACT.refusal(network(read(kind, tmp_path))))


def test_a_first_layer_without_attention_is_refused(llama: DecoderSupernet) -> None:
    assert EXACT.refusal(network(llama, groups=[0, 3, 3, 3])) == "llama.cpp needs attention in the first layer"


def test_other_activations_and_stretches_are_refused(llama: DecoderSupernet) -> None:
    whole = llama.checkpoint(network(llama).module)
    assert refusal(whole) is None
    assert "activation gelu" in str(refusal(replace(whole, activation="gelu")))
    uneven = replace(whole.reaches[0], stretch=(1.0, 1.0, 2.0, 8.0))
    assert refusal(replace(whole, reaches=(uneven,) * 4)) is None
    qwen = replace(whole, reaches=(uneven,) * 4, config={**whole.config, "model_type": "qwen3"})
    assert "by one factor only" in str(refusal(qwen))


def test_tokenizers_are_known_by_how_they_split(llama: DecoderSupernet) -> None:
    content = json.loads(EMBEDDED.read_text())
    bytes_only = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    assert split_of(content) == "gpt-2"
    for pattern, name in SPLITS.items():
        steps = [{"type": "Split", "pattern": {"Regex": pattern}}, bytes_only]
        assert split_of(content | {"pre_tokenizer": {"type": "Sequence", "pretokenizers": steps}}) == name
    other = content | {"pre_tokenizer": {"type": "Metaspace"}}
    assert split_of(other) is None
    whole = llama.checkpoint(network(llama).module)
    spoilt = replace(whole, companions={"tokenizer.json": json.dumps(other).encode()})
    assert "its tokenizer is none of those" in str(vocabulary_hindrance(spoilt))
    assert "no tokenizer.json" in str(vocabulary_hindrance(replace(whole, companions={})))
