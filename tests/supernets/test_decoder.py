"""Decoders from folders: what is elastic, what matters, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from decoder_rivals import alike
from safetensors.torch import save_file

from dynas.data.text.language_tokenizer import EMBEDDED
from dynas.errors import DynasError
from dynas.supernets.decoder import DecoderSupernet
from dynas.supernets.decoders.importance import measure
from dynas.supernets.weights.storage import save_weights
from tests.helpers.supernets import NARROW_DECODER, gemma_decoder, narrow_decoder

TOKENS = torch.randint(60, (2, 12), generator=torch.Generator().manual_seed(0))


def write(folder: Path, vocabulary: int = 4096, tokenizer: bool = True, **changes: Any) -> DecoderSupernet:
    """Write a folder of a random network of Llama's kind, and return the network."""
    config = NARROW_DECODER | {"vocab_size": vocabulary} | changes
    source = narrow_decoder(config, seed=4)
    state = {
        f"model.{name}" if "lm_head" not in name else name: one for name, one in source.elastic.state_dict().items()
    }
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    if tokenizer:
        (folder / "tokenizer.json").write_bytes(EMBEDDED.read_bytes())
    return source


def of_folder(folder: Path | str, **changes: Any) -> DecoderSupernet:
    settings: dict[str, Any] = {
        "weights": str(folder), "config": None, "widths": (8, 24), "layers": None, "skip": (1, 2),
        "groups": (0, 1, 2, 3), "feeds": (0.2, 0.6, 1.0), "calibration": None, "calibration_tokens": 96, "length": 12,
    }  # fmt: skip
    return DecoderSupernet(**(settings | changes))


def test_every_part_can_stay_as_it_is() -> None:
    settings = {"widths": None, "skip": None, "groups": None, "feeds": None}
    for part, size in (("widths", 3), ("skip", 4), ("groups", 4**4), ("feeds", 3**4)):
        options = {name: value for name, value in settings.items() if name != part}
        assert narrow_decoder(**options).space.size == size
    assert narrow_decoder(**settings, layers=(2, 4)).space.size == 2
    with pytest.raises(DynasError, match="nothing of the network is elastic"):
        narrow_decoder(**settings)


def test_layers_go_by_importance_or_one_by_one() -> None:
    by_importance = gemma_decoder()  # in the order 3, 0, 2, 1
    largest = by_importance.space.decode(by_importance.space.largest())
    kept = {depth: by_importance.shape.of(largest | {"layers": depth}).kept for depth in (1, 3, 4)}
    assert kept == {1: [3], 3: [0, 2, 3], 4: [0, 1, 2, 3]}
    single = narrow_decoder()
    architecture = single.space.decode(single.space.largest()) | {"keep": [0, 1]}
    assert single.shape.of(architecture).kept == [0, 2, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"widths": (24, 8)}, r"supernet\.widths=\[24, 8\] are \[24, 8\] of 24"),
        ({"widths": (8, 16)}, r"supernet\.widths"),
        ({"groups": (-1, 3)}, r"supernet\.groups"),
        ({"feeds": (0.0, 1.0)}, r"supernet\.feeds=\[0\.0, 1\.0\] are \[0, 40\] of 40"),
        ({"skip": (4,)}, r"supernet\.skip=\(4,\): give inner, a list of layers from 0 to 3"),
        ({"skip": "outer"}, r"supernet\.skip=outer: give inner"),
        ({"skip": (0, 1, 2, 3)}, r"may leave out all 4 layers"),
        ({"layers": (2, 4)}, r"supernet\.layers and supernet\.skip both say"),
        ({"length": 65}, r"supernet\.length=65: give 2 to 64"),
    ],
)
def test_options_that_make_no_sense_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        narrow_decoder(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "mamba"}, "unknown .*model_type 'mamba': choose one of gemma3_text, llama"),
        ({"final_logit_softcapping": 30.0}, "networks with final_logit_softcapping=30.0 are not known"),
        ({"quantization_config": {"bits": 4}}, "networks with quantization_config="),
        ({"hidden_size": None}, "needs hidden_size as a positive whole number, got None"),
        ({"num_key_value_heads": 4}, "6 attention heads of 8 channels cannot be shared among 4"),
        ({"hidden_act": "relu"}, "unknown .*activation 'relu'"),
        ({"model_type": "qwen3", "layer_types": ["chunked_attention"] * 4}, "needs layer_types of 4 times"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4}}, "of the kind yarn are not known"),
        ({"dynas": {"layers": [0, 0, 1, 2]}}, r"needs dynas\.layers as the numbers of all 4 layers"),
        ({"dynas": 1}, r"needs dynas\.layers"),
        ({"rope_scaling": {"type": "linear"}}, "rotary positions are incomplete: 'factor'"),
    ],
)
def test_other_networks_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        narrow_decoder(changes)


def spoil_index(folder: Path) -> None:
    names = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors").rename(folder / names["a"])
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))


def escape(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../x.safetensors"}}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json in"),
        (lambda folder: (folder / "config.json").write_text("[]"), "holds no object with settings"),
        (lambda folder: (folder / "model.safetensors").unlink(), "the folder has neither"),
        (spoil_index, "lacks model-00002-of-00002.safetensors, one of 2 files"),
        (escape, "does not say which files of its folder"),
    ],
)
def test_a_folder_that_lacks_something_is_refused(
    spoil: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    write(tmp_path)
    spoil(tmp_path)
    with pytest.raises(DynasError, match=message):
        of_folder(tmp_path)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(NARROW_DECODER | {"vocab_size": 4096, "intermediate_size": 48}))
    with pytest.raises(DynasError, match="do not fit this supernet: it has"):
        of_folder(tmp_path)


def test_a_folder_of_its_own_shape_takes_no_config(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(DynasError, match=r"supernet\.config is for supernet\.weights=random"):
        of_folder(tmp_path, config=NARROW_DECODER)
    assert of_folder("random", config=str(tmp_path)).vocabulary == 4096


def test_without_a_tokenizer_nothing_can_be_put_in_order(tmp_path: Path) -> None:
    write(tmp_path, tokenizer=False)
    with pytest.raises(DynasError, match=r"no tokenizer\.json beside them.*supernet\.calibration=null"):
        of_folder(tmp_path, calibration="brown")
    assert of_folder(tmp_path).tokenizer_digest is None


def test_sorting_keeps_what_the_network_computes_and_puts_first_what_matters(tmp_path: Path) -> None:
    write(tmp_path, attention_bias=True, mlp_bias=True)
    plain, ordered = of_folder(tmp_path), of_folder(tmp_path, calibration="brown")
    with torch.inference_mode():
        torch.testing.assert_close(ordered.elastic(TOKENS), plain.elastic(TOKENS), rtol=1e-4, atol=1e-5)
    assert ordered.weights_digest != plain.weights_digest
    assert ordered.weights_digest == of_folder(tmp_path, calibration="brown").weights_digest
    assert sorted(ordered.order) == [0, 1, 2, 3]
    calibrated = torch.randint(4096, (8, 12), generator=torch.Generator().manual_seed(1))
    before, after = (measure(one.elastic, calibrated) for one in (plain, ordered))
    for part in ("units", "groups", "channels"):
        mine, theirs = getattr(after, part), getattr(before, part)
        torch.testing.assert_close(mine.sort(-1).values, theirs.sort(-1).values, rtol=1e-4, atol=1e-8)
    half = after.units.shape[1] // 2
    assert (after.units[:, :half].mean(1) > after.units[:, half:].mean(1)).all()
    assert not torch.equal(after.units, before.units)


def test_what_matters_is_what_was_made_to_matter() -> None:
    supernet = narrow_decoder(seed=1)
    net = supernet.elastic
    with torch.no_grad():
        net.layers[2].mlp.gate_proj.weight[7] *= 100
        net.layers[2].mlp.up_proj.weight[7] *= 100
        net.layers[1].self_attn.v_proj.weight[16:] *= 100  # the last of three groups
        net.embed_tokens.weight[:, 5] *= 100
        net.layers[3].self_attn.o_proj.weight.zero_()
        net.layers[3].mlp.down_proj.weight.zero_()
    found = measure(net, TOKENS)
    assert (int(found.units[2].argmax()), int(found.groups[1].argmax()), int(found.channels.argmax())) == (7, 2, 5)
    assert int(found.layers.argmin()) == 3
    assert float(found.layers[3]) == pytest.approx(0, abs=1e-6)


def test_trained_weights_are_read_with_what_lies_beside_them(tmp_path: Path) -> None:
    folder, trained = tmp_path / "folder", tmp_path / "trained"
    folder.mkdir()
    trained.mkdir()
    write(folder)
    source = of_folder(folder, calibration="brown", layers=(2, 4), skip=None)
    save_weights(source.elastic, trained / "weights.safetensors")
    for name, content in source.companions().items():
        (trained / name).write_bytes(content)
    for weights in (trained, trained / "weights.safetensors"):
        again = of_folder(weights, calibration="brown", layers=(2, 4), skip=None)
        assert again.order == source.order, "nothing is put in order a second time"
        assert again.tokenizer_digest == source.tokenizer_digest
        architecture = source.space.decode(source.space.smallest())
        with torch.inference_mode():
            torch.testing.assert_close(
                again.subnet(architecture)(TOKENS), source.subnet(architecture)(TOKENS), rtol=1e-2, atol=1e-3
            )


def test_an_untrained_one_of_the_same_shape_takes_the_weights_of_a_sub_network(tmp_path: Path) -> None:
    write(tmp_path)
    source = of_folder(tmp_path, calibration="brown", layers=(2, 4), skip=None)
    same = of_folder("random", layers=(2, 4), skip=None, **source.inferred)
    architecture = source.space.decode(source.space.smallest())
    subnet = same.subnet(architecture)
    subnet.load_state_dict(source.subnet(architecture).state_dict())
    with torch.inference_mode():
        assert torch.equal(subnet(TOKENS), source.subnet(architecture)(TOKENS))


def test_uniform_rivals_have_layers_that_are_alike_and_leave_out_those_that_matter_least() -> None:
    supernet = narrow_decoder({"dynas": {"layers": [3, 2, 0, 1]}})
    found = [supernet.space.decode(row) for row in alike(supernet)]
    assert len(found) == 3 * 3 * 4 * 3, "widths, numbers of layers, groups and feeds"
    assert {tuple(one["keep"]) for one in found} == {(0, 0), (0, 1), (1, 1)}, "layer 1 goes before layer 2"
    for one in found:
        kept = [0, *(layer for layer, own in zip((1, 2), one["keep"], strict=True) if own), 3]
        assert all(len({one[name][layer] for layer in kept}) == 1 for name in ("groups", "feed"))
