"""Folders for Hugging Face transformers compute what sub-networks compute, with a cache and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dynas.data.text.language_tokenizer import EMBEDDED, read_tokenizer
from dynas.export.hugging_face import HuggingFace, load_module
from dynas.export.network import Network
from dynas.supernets.decoder import DecoderSupernet
from tests.helpers import hugging_face
from tests.helpers.supernets import narrow, narrow_decoder

pytestmark = pytest.mark.slow

TOKENS = torch.randint(60, (2, 14), generator=torch.Generator().manual_seed(0))
PLAIN, PADDED = HuggingFace(padded=False), HuggingFace(padded=True)


@pytest.fixture(scope="module", params=hugging_face.CONFIGS)
def supernet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DecoderSupernet:
    folder = hugging_face.save(hugging_face.decoder(request.param), tmp_path_factory.mktemp("folder"))
    settings = {"widths": (8, 1.0), "skip": (0, 1, 2), "groups": (0, 1, 2, 3), "feeds": (0.2, 0.6, 1.0)}
    return DecoderSupernet(
        weights=str(folder), config=None, layers=None, calibration=None, calibration_tokens=0, length=12, **settings
    )


def networks(supernet: DecoderSupernet) -> Iterator[Network]:
    """Yield one whose layers are alike, one without attention in its first layer, and one in which all differs."""
    whole, unit = supernet.config.groups, supernet.config.units
    for width, keep, groups, feed in (
        (8, [1, 0, 1], [1] * 4, [8] * 4),
        (supernet.config.width, [1, 1, 1], [0, whole, 1, 1], [unit] * 4),
        (8, [0, 1, 1], [1, 0, 2 if whole > 1 else 1, 0], [8, unit, 8, 24]),
    ):
        architecture = {"width": width, "keep": keep, "groups": groups, "feed": feed}
        yield Network(supernet.subnet(architecture), supernet, architecture, {})


@torch.inference_mode()
def check_decoding(network: Network, theirs: Any) -> None:
    """Check logits of tokens that are read in three parts, and greedy texts with a cache and without."""
    wanted = network.module(TOKENS)
    cache = None
    for start, end in ((0, 5), (5, 6), (6, 14)):
        told = theirs(TOKENS[:, start:end], use_cache=True, **({} if cache is None else {"cache": cache}))
        cache = told.cache
        close = 1e-4 * float(wanted.abs().max())
        torch.testing.assert_close(told.logits, wanted[:, start:end], rtol=0, atol=close)
    settings = {"max_new_tokens": 5, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    texts = [theirs.generate(TOKENS, use_cache=used, **settings) for used in (True, False)]
    assert torch.equal(*texts)


@pytest.mark.parametrize("form", [PLAIN, PADDED], ids=["plain", "padded"])
def test_folders_compute_what_sub_networks_compute(
    form: HuggingFace, supernet: DecoderSupernet, tmp_path: Path
) -> None:
    for index, network in enumerate(networks(supernet)):
        folder = tmp_path / str(index)
        folder.mkdir()
        form.save(network, folder)
        assert form.difference(network, folder) <= 1e-5
        written = folder / form.FILES[0]
        check_decoding(network, load_module(written))
        assert (written / "modeling_dynas.py").exists() == (form is PLAIN and index > 0)


def test_a_plain_folder_needs_no_trust_and_is_read_by_us_too(tmp_path: Path) -> None:
    import transformers

    config = {
        "model_type": "gemma3_text",
        "tie_word_embeddings": True,
        "sliding_window": 5,
        "sliding_window_pattern": 2,
    }
    supernet = narrow_decoder(config, seed=1)
    architecture = {"width": 8, "keep": [0, 1], "groups": [2] * 4, "feed": [8] * 4}
    network = Network(supernet.subnet(architecture), supernet, architecture, {})
    PLAIN.save(network, tmp_path)
    folder = tmp_path / "hugging_face"
    with torch.inference_mode():
        wanted = network.module(TOKENS)
        theirs = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()(TOKENS).logits
        ours = DecoderSupernet(
            weights=str(folder), config=None, widths=None, layers=(1, 3), skip=None, groups=None, feeds=None,
            calibration=None, calibration_tokens=0, length=12,
        )  # fmt: skip
        for found in (theirs, ours.elastic(TOKENS)):
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_the_tokenizer_is_read_as_it_is(tmp_path: Path) -> None:
    import transformers

    supernet = DecoderSupernet(
        weights="random", config=None, widths=None, layers=None, skip="inner", groups=None, feeds=None,
        calibration=None, calibration_tokens=0, length=12,
    )  # fmt: skip
    architecture = supernet.space.decode(supernet.space.smallest())
    PLAIN.save(Network(supernet.subnet(architecture), supernet, architecture, {}), tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "hugging_face")
    text = "It is a truth universally acknowledged, naïve or not: 1,234 words\n\n  of it."
    assert theirs(text)["input_ids"] == read_tokenizer(str(EMBEDDED)).encode(text).ids
    assert theirs.eos_token == "<|endoftext|>"


def test_what_lay_beside_the_weights_goes_along(tmp_path: Path) -> None:
    source = hugging_face.save(hugging_face.decoder("llama"), tmp_path / "source")
    (source / "tokenizer.json").write_bytes(EMBEDDED.read_bytes())
    (source / "chat_template.jinja").write_text("{{ messages }}")
    (source / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    supernet = DecoderSupernet(
        weights=str(source), config=None, widths=None, layers=(2, 4), skip=None, groups=None, feeds=None,
        calibration=None, calibration_tokens=0, length=12,
    )  # fmt: skip
    architecture = supernet.space.decode(supernet.space.smallest())
    PLAIN.save(Network(supernet.subnet(architecture), supernet, architecture, {}), tmp_path)
    for name in ("tokenizer.json", "chat_template.jinja", "tokenizer_config.json"):
        assert (tmp_path / "hugging_face" / name).read_bytes() == (source / name).read_bytes()
        assert supernet.companions()[name] == (source / name).read_bytes()


def test_code_that_nobody_trusts_is_not_run(tmp_path: Path) -> None:
    import transformers

    supernet = narrow_decoder()
    architecture = {"width": 24, "keep": [1, 1], "groups": [3] * 4, "feed": [8, 24, 24, 24]}
    PLAIN.save(Network(supernet.subnet(architecture), supernet, architecture, {}), tmp_path)
    config = json.loads((tmp_path / "hugging_face" / "config.json").read_text())
    assert config["layer_sizes"]["units"] == [8, 24, 24, 24]
    with pytest.raises((ValueError, RuntimeError, OSError)):
        transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hugging_face", trust_remote_code=False)


def test_other_networks_are_refused() -> None:
    images = narrow()
    architecture = images.space.decode(images.space.smallest())
    assert PLAIN.refusal(Network(images.subnet(architecture), images, architecture, {}))
    assert images.task != PLAIN.TASK
    decoder = narrow_decoder()
    row = decoder.space.decode(decoder.space.sample(1, np.random.default_rng(0))[0])
    assert PLAIN.refusal(Network(decoder.subnet(row), decoder, row, {})) is None
