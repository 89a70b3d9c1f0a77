"""Our decoders against those of Hugging Face transformers, from folders that it writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dynas.supernets.decoder import DecoderSupernet
from tests.helpers import hugging_face

pytestmark = pytest.mark.slow

CLOSE = 1e-5  # times the largest logit, about 6
TOKENS = torch.randint(60, (2, 14), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", params=hugging_face.CONFIGS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, DecoderSupernet]:
    """A network, and what we read from its folder."""
    network = hugging_face.decoder(request.param)
    folder = hugging_face.save(network, tmp_path_factory.mktemp("folder"))
    assert len(list(folder.glob("*.safetensors"))) > 1
    return network, read(folder)


def read(folder: Path) -> DecoderSupernet:
    settings = {"widths": (8, 1.0), "skip": (1, 2), "groups": (0, 1, 2, 3), "feeds": (0.2, 0.6, 1.0)}
    return DecoderSupernet(
        weights=str(folder), config=None, layers=None, calibration=None, calibration_tokens=0, length=12, **settings
    )


def check(found: torch.Tensor, wanted: torch.Tensor, close: float = CLOSE) -> None:
    torch.testing.assert_close(found, wanted, rtol=0, atol=close * float(wanted.abs().max()))


def test_the_whole_network_has_their_logits(pair: tuple[nn.Module, DecoderSupernet]) -> None:
    network, supernet = pair
    with torch.inference_mode():
        check(supernet.elastic(TOKENS), hugging_face.logits(network, TOKENS))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=6)
def test_sub_networks_have_the_logits_of_theirs_cut_likewise(
    pair: tuple[nn.Module, DecoderSupernet], seed: int
) -> None:
    network, supernet = pair
    architecture = supernet.space.decode(supernet.space.sample(1, np.random.default_rng(seed))[0])
    theirs = hugging_face.sliced(network, supernet.shape.of(architecture))
    with torch.inference_mode():
        check(supernet.subnet(architecture)(TOKENS), hugging_face.logits(theirs, TOKENS))


@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(1, 13), max_size=3))
@settings(max_examples=6)
def test_tokens_read_in_parts_have_the_logits_of_all_at_once(
    pair: tuple[nn.Module, DecoderSupernet], seed: int, cuts: list[int]
) -> None:
    _, supernet = pair
    subnet = supernet.subnet(supernet.space.decode(supernet.space.sample(1, np.random.default_rng(seed))[0]))
    ends = sorted({*cuts, 14})
    for precision, close in ((torch.float32, CLOSE), (torch.float64, 1e-12)):  # they differ by rounding alone
        subnet.to(precision)
        with torch.inference_mode():
            whole, memories = subnet(TOKENS), subnet.start()
            for start, end in zip([0, *ends[:-1]], ends, strict=True):
                check(subnet.decode(TOKENS[:, start:end], memories), whole[:, end - 1], close)
        assert memories.length == 14


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
def test_what_a_cache_holds_is_counted(kind: str, tmp_path: Path) -> None:
    supernet = read(hugging_face.save(hugging_face.decoder(kind), tmp_path))
    for genotype in supernet.space.sample(5, np.random.default_rng(0)):
        subnet = supernet.subnet(supernet.space.decode(genotype))
        memories = subnet.start()
        with torch.inference_mode():
            subnet.decode(TOKENS[:1], memories)
            held = [one for one in memories.layers if one.keys is not None]
            numbers = sum(one.keys.numel() + one.values.numel() for one in held)
            windows = [subnet.config.windows[index] for index in subnet.sizes.kept]
            local = sum(
                one.keys.shape[1] * 2 * 8
                for one, window in zip(memories.layers, windows, strict=True)
                if one.keys is not None and window is not None
            )
        # a local layer holds one token less between steps than while it takes one
        assert supernet.remembered(genotype[None], 14).tolist() == [numbers + local]
