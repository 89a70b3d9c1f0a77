"""The Transformer's own rules; tests/conformance holds what all supernets promise, test_transformer_golden HAT's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dynas import DynasError
from dynas.core.bench import Bench, Meter
from dynas.core.meter import Timing
from dynas.core.space import Architecture
from dynas.core.translation import EOS, PAD
from dynas.hardware.latency import CpuMeter
from dynas.metrics.beam_search import pad_left
from dynas.metrics.cost import ParamsWithoutEmbeddings
from dynas.metrics.latency import Latency, Throughput
from dynas.supernets.hat.genes import from_config, from_genes
from dynas.supernets.hat.network import Translating
from dynas.supernets.transformer import TransformerSupernet
from tests.helpers.supernets import narrow, narrow_transformer, odd_transformer

pytestmark = pytest.mark.slow

SENTENCES = [[7, 8, 9, 10, EOS], [11, 12, EOS], [13, EOS]]


@pytest.fixture(scope="module", params=[narrow_transformer, odd_transformer])
def supernet(request: pytest.FixtureRequest) -> TransformerSupernet:
    return request.param()


def drawn(supernet: TransformerSupernet, seed: int) -> Architecture:
    return supernet.space.decode(supernet.space.sample(1, np.random.default_rng(seed))[0])


def pad_right(sentences: list[list[int]], more: int = 0) -> torch.Tensor:
    width = max(map(len, sentences)) + more
    return torch.tensor([[*sentence, *[PAD] * (width - len(sentence))] for sentence in sentences])


@given(seed=st.integers(0, 2**32))
def test_padding_on_either_side_changes_nothing(supernet: TransformerSupernet, seed: int) -> None:
    subnet = supernet.subnet(drawn(supernet, seed))
    previous = [[EOS, 5, 6, 7], [EOS, 8], [EOS, 9, 10]]
    with torch.inference_mode():
        left = subnet(pad_left(SENTENCES), pad_right(previous))
        right = subnet(pad_right(SENTENCES, more=3), pad_right(previous, more=2))
        for index, (source, target) in enumerate(zip(SENTENCES, previous, strict=True)):
            alone = subnet(torch.tensor([source]), torch.tensor([target]))[0]
            for batch in (left, right):
                torch.testing.assert_close(batch[index, : len(target)], alone, rtol=1e-4, atol=1e-5)


@given(seed=st.integers(0, 2**32))
def test_step_by_step_is_the_same_as_all_at_once(supernet: TransformerSupernet, seed: int) -> None:
    subnet = supernet.subnet(drawn(supernet, seed))
    source, previous = supernet.example_inputs(3)
    with torch.inference_mode():
        whole = subnet(source, previous)
        state = subnet.encode(source)
        first = subnet.decode(previous[:, :3], state)  # several tokens at a time are fine too
        rest = [subnet.decode(previous[:, [step]], state) for step in range(3, previous.shape[1])]
    torch.testing.assert_close(torch.cat([first, *rest], dim=1), whole, rtol=1e-4, atol=1e-5)
    assert state.length == previous.shape[1]


def test_translations_can_be_repeated_dropped_and_reordered(supernet: TransformerSupernet) -> None:
    subnet = supernet.subnet(drawn(supernet, 1))
    source, previous = supernet.example_inputs(3)
    with torch.inference_mode():
        state = subnet.encode(source)
        subnet.decode(previous[:, :4], state)
        state.keep(torch.tensor([0, 2]))
        state.reorder(torch.tensor([0, 0, 2, 2]))  # two beams of each sentence
        next_tokens = torch.tensor([[5], [6], [7], [8]])
        beams = subnet.decode(next_tokens, state)[:, 0]
        for row, (sentence, token) in enumerate(zip([0, 0, 2, 2], next_tokens, strict=True)):
            target = torch.cat([previous[sentence, :4], token])[None]
            alone = subnet(source[[sentence]], target)[0, -1]
            torch.testing.assert_close(beams[row], alone, rtol=1e-4, atol=1e-5)


def test_the_future_is_hidden_and_the_source_is_not(supernet: TransformerSupernet) -> None:
    subnet = supernet.subnet(drawn(supernet, 2))
    source, previous = supernet.example_inputs(1)
    with torch.inference_mode():
        before = subnet(source, previous)
        previous[0, 4] += 1
        after = subnet(source, previous)
        source[0, 0] += 1
        other = subnet(source, previous)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4], after[:, 4])
    assert not torch.allclose(after[:, 0], other[:, 0])


@pytest.mark.parametrize(("attend", "outputs"), [(-1, 1), (1, 2), (2, 3)])
def test_a_decoder_layer_reads_the_last_encoder_layers_that_it_attends_to(attend: int, outputs: int) -> None:
    supernet = narrow_transformer()
    architecture = supernet.space.decode(supernet.space.smallest()) | {"decoder_attend": [attend] + [-1] * 5}
    state = supernet.subnet(architecture).encode(pad_left(SENTENCES))
    (cache,) = state.caches
    assert cache.memory.values.shape[2] == cache.memory.bias.shape[-1] == 5 * outputs
    seen = cache.memory.bias[:, 0, 0] == 0
    assert seen.sum(1).tolist() == [5 * outputs, 3 * outputs, 2 * outputs]


def test_gradients_reach_the_active_slices_only() -> None:
    supernet = narrow_transformer()
    architecture = supernet.space.decode(supernet.space.smallest())
    supernet.elastic(*supernet.example_inputs(2), architecture).square().mean().backward()
    grads = {name: value.grad for name, value in supernet.elastic.named_parameters()}
    ffn, absent = grads["encoder.layers.0.fc1.weight"], grads["decoder.layers.1.fc1.weight"]
    assert ffn is not None
    assert ffn[:128, :64].abs().sum() > 0
    assert ffn[128:].abs().sum() == ffn[:, 64:].abs().sum() == 0
    assert absent is None


def test_one_table_serves_encoder_decoder_and_output() -> None:
    shared, own = narrow_transformer(), odd_transformer()
    assert shared.elastic.encoder.embed_tokens is shared.elastic.decoder.embed_tokens
    subnet = shared.subnet(shared.space.decode(shared.space.largest()))
    assert subnet.encoder.embed_tokens is subnet.decoder.embed_tokens
    assert own.elastic.encoder.embed_tokens.weight.shape[0] == 50
    assert own.elastic(*own.example_inputs(2)).shape == (2, 7, 70)


def test_parameters_without_embeddings_leave_out_the_tables(supernet: TransformerSupernet) -> None:
    rows = supernet.space.sample(10, np.random.default_rng(0))
    counted = ParamsWithoutEmbeddings().count(supernet, rows)
    for row, count in zip(rows, counted, strict=True):
        subnet = supernet.subnet(supernet.space.decode(row))
        rest = [value.numel() for name, value in subnet.named_parameters() if "embed_tokens" not in name]
        assert count == sum(rest)
    images = narrow()
    rows = images.space.sample(3, np.random.default_rng(0))
    assert ParamsWithoutEmbeddings().count(images, rows).tolist() == images.params(rows).tolist()


def bench(supernet: Any) -> Bench:
    meter = CpuMeter(threads=1, batch_size=1, warmup=1, min_repeats=5, max_repeats=9, tolerance=0.1)
    return Bench(supernet, None, meter)  # type: ignore[arg-type]


def test_what_is_timed_is_encoding_and_then_decoding_token_by_token(supernet: TransformerSupernet) -> None:
    subnet = supernet.subnet(drawn(supernet, 3))
    timed = supernet.timed(subnet)
    source, previous = supernet.example_inputs(2)
    with torch.inference_mode():
        last, whole = timed(source, previous), subnet(source, previous)
    assert isinstance(timed, Translating)
    wanted = whole[:, -1:].repeat_interleave(supernet.latency_beam, dim=0)
    torch.testing.assert_close(last, wanted, rtol=1e-4, atol=1e-5)


def test_the_latency_of_translation_grows_with_decoder_layers_and_with_the_sentence() -> None:
    def latencies(sentence_length: int) -> list[float]:
        supernet = narrow_transformer(sentence_length=sentence_length)
        base = supernet.space.decode(supernet.space.smallest())
        subnets = [supernet.subnet(base | {"decoder_layers": depth}) for depth in (1, 6)]
        return [reading.value for reading in Latency().measure(subnets, bench(supernet))]

    short, long = latencies(5), latencies(40)
    assert 1.5 * short[0] < short[1]
    assert 2 * long[0] < long[1]
    assert 3 * short[1] < long[1]


class PerSample(Meter):
    """A target on which a batch takes 1.8 ms and every sample of it 0.2 ms more, whatever the network."""

    batch_size = 4

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[torch.Tensor, ...]]) -> list[Timing]:
        self.seen += [len(given[0]) for given in inputs]
        times = [1.8 + 0.2 * len(given[0]) for given in inputs]
        return [Timing(ms, ms, ms, repeats=1) for ms in times]


def test_throughput_counts_samples_in_batches() -> None:
    supernet = narrow_transformer()
    subnets = [supernet.subnet(supernet.space.decode(supernet.space.smallest()))]
    meter = PerSample()
    one, many = (
        Throughput(size).measure(subnets, Bench(supernet, None, meter))[0].value  # type: ignore[arg-type]
        for size in (1, 16)
    )
    assert meter.seen == [1, 16]
    assert one == pytest.approx(1e3 / 2)
    assert many == pytest.approx(16e3 / 5)
    with pytest.raises(DynasError, match=r"batch_size=0: give 1 or more"):
        Throughput(0)


GENES = [640, 6, *[3072] * 6, *[8] * 6, 512, 2, *[1024] * 6, *[4] * 6, *[8] * 6, *[2] * 6]
YAML = {  # as HAT's files of sub-transformers say the same
    "encoder-embed-dim-subtransformer": 640,
    "decoder-embed-dim-subtransformer": 512,
    "encoder-ffn-embed-dim-all-subtransformer": [3072] * 6,
    "decoder-ffn-embed-dim-all-subtransformer": [1024, 1024],
    "encoder-layer-num-subtransformer": 6,
    "decoder-layer-num-subtransformer": 2,
    "encoder-self-attention-heads-all-subtransformer": [8] * 6,
    "decoder-self-attention-heads-all-subtransformer": [4, 4],
    "decoder-ende-attention-heads-all-subtransformer": [8, 8],
    "decoder-arbitrary-ende-attn-all-subtransformer": [2, 2],
}


@pytest.fixture(scope="module")
def hat() -> TransformerSupernet:
    """HAT's sizes with few tokens, untrained."""
    return narrow_transformer(embed_dims=(512, 640), ffn_dims=(1024, 2048, 3072), qkv_dim=512)


def test_hats_genes_and_files_say_the_same(hat: TransformerSupernet) -> None:
    architecture = from_genes(hat.space, GENES)
    assert architecture == from_config(hat.space, YAML)
    assert architecture == {
        "encoder_embed_dim": 640,
        "encoder_layers": 6,
        "encoder_ffn": [3072] * 6,
        "encoder_heads": [8] * 6,
        "decoder_embed_dim": 512,
        "decoder_layers": 2,
        "decoder_ffn": [1024] * 6,
        "decoder_self_heads": [4] * 6,
        "decoder_cross_heads": [8, 8, 4, 4, 4, 4],
        "decoder_attend": [2, 2, -1, -1, -1, -1],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decoder-layer-num-subtransformer": 3}, r"'decoder_ffn' needs 6 values"),
        ({"encoder-embed-dim-subtransformer": 600}, r"'encoder_embed_dim' cannot be 600: choose from \[512, 640\]"),
        ({"decoder-ffn-embed-dim-all-subtransformer": 1024}, r"'decoder_ffn' needs 6 values, got 1024"),
        ({"dropout": 0.3}, r"missing or unknown: dropout"),
    ],
    ids=str,
)
def test_a_config_that_does_not_fit_is_refused(hat: TransformerSupernet, change: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        from_config(hat.space, YAML | change)


def test_a_gene_list_that_does_not_fit_is_refused(hat: TransformerSupernet) -> None:
    with pytest.raises(DynasError, match="has 40 values, got 39"):
        from_genes(hat.space, GENES[:-1])
    with pytest.raises(DynasError, match="'encoder_embed_dim' cannot be 641"):
        from_genes(hat.space, [641, *GENES[1:]])


@pytest.mark.parametrize(
    "change",
    [
        {"embed_dims": ()},
        {"embed_dims": (80, 64)},
        {"embed_dims": (63, 80)},
        {"ffn_dims": (0, 128)},
        {"ffn_dims": (128, 128)},
        {"heads": (4, 7)},
        {"heads": (0, 4)},
        {"qkv_dim": 0},
        {"encoder_layers": 2},
        {"decoder_layers": 0},
        {"max_positions": 1},
        {"sentence_length": 0},
        {"sentence_length": 65},
        {"source_vocabulary": 4, "target_vocabulary": 4},
        {"source_vocabulary": 99},
        {"latency_beam": 0},
    ],
    ids=str,
)
def test_a_shape_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DynasError, match=r"supernet transformer (needs|has) "):
        narrow_transformer(**change)


def test_a_sub_network_can_be_exported_for_any_batch_and_length(supernet: TransformerSupernet) -> None:
    subnet = supernet.subnet(drawn(supernet, 4))
    n, s, t = (torch.export.Dim(name, min=2, max=30) for name in ("n", "s", "t"))
    shapes = ({0: n, 1: s}, {0: n, 1: t})
    with torch.no_grad():
        exported = torch.export.export(subnet, supernet.example_inputs(2), dynamic_shapes=shapes).module()
        source, previous = pad_left(SENTENCES), pad_right([[EOS, 5, 6, 7], [EOS, 8], [EOS, 9, 10]])
        torch.testing.assert_close(exported(source, previous), subnet(source, previous), rtol=1e-4, atol=1e-5)
