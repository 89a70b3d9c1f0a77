"""Checkpoints of other packages, under their names: ours compute with them what they compute with ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from dynas.data.sentiment import sentiment
from dynas.errors import DynasError
from tests.helpers.encoders import BERT, State, called
from tests.helpers.supernets import narrow_bert, narrow_vit

TIMM = {
    "class_token": "cls_token", "positions": "pos_embed", "patches.": "patch_embed.proj.", "layers.": "blocks.",
    ".attention_norm.": ".norm1.", ".feed_norm.": ".norm2.", ".attention.qkv.": ".attn.qkv.",
    ".attention.out.": ".attn.proj.", ".up.": ".mlp.fc1.", ".down.": ".mlp.fc2.",
}  # fmt: skip
TORCHVISION = {
    "positions": "encoder.pos_embedding", "patches.": "conv_proj.", "layers.": "encoder.layers.encoder_layer_",
    ".attention_norm.": ".ln_1.", ".feed_norm.": ".ln_2.", ".attention.qkv.": ".self_attention.in_proj_",
    ".attention.out.": ".self_attention.out_proj.", ".up.": ".mlp.0.", ".down.": ".mlp.3.", "norm.": "encoder.ln.",
    "head.": "heads.head.",
}  # fmt: skip
HUGGING_FACE = {
    "class_token": "vit.embeddings.cls_token", "positions": "vit.embeddings.position_embeddings",
    "patches.": "vit.embeddings.patch_embeddings.projection.", "layers.": "vit.encoder.layer.",
    ".attention_norm.": ".layernorm_before.", ".feed_norm.": ".layernorm_after.",
    ".attention.out.": ".attention.output.dense.", ".attention.query.": ".attention.attention.query.",
    ".attention.key.": ".attention.attention.key.", ".attention.value.": ".attention.attention.value.",
    ".up.": ".intermediate.dense.", ".down.": ".output.dense.", "norm.": "vit.layernorm.", "head.": "classifier.",
}  # fmt: skip
IN_MEMORY = HUGGING_FACE | {
    "layers.": "vit.layers.", ".attention.out.": ".attention.o_proj.", ".attention.query.": ".attention.q_proj.",
    ".attention.key.": ".attention.k_proj.", ".attention.value.": ".attention.v_proj.", ".up.": ".mlp.fc1.",
    ".down.": ".mlp.fc2.",
}  # fmt: skip
DYNAST = TORCHVISION | {
    "positions": "encoder.pos_embedding.weight", ".attention.out.": ".attention_output.dense.",
    ".residual_norm.": ".attention_output.LayerNorm.", ".attention.query.": ".self_attention.query.",
    ".attention.key.": ".self_attention.key.", ".attention.value.": ".self_attention.value.",
    ".up.": ".mlp.linear_1.", ".down.": ".mlp.linear_2.",
}  # fmt: skip


def joint(state: State) -> State:
    """Return weights with queries, keys and values in one matrix, one below the other."""
    found = {name: value for name, value in state.items() if not re.search(r"attention\.(query|key|value)\.", name)}
    for name in state:
        if ".query." in name:
            parts = [state[name.replace("query", part)] for part in ("query", "key", "value")]
            found[name.replace("query", "qkv")] = torch.cat(parts)
    return found


def of_dynast(state: State) -> State:
    """Return weights as DynAS-T keeps them: positions in a table, and their numbers."""
    found = called(state | {"positions": state["positions"][0]}, DYNAST)
    return found | {"encoder.position_ids": torch.arange(len(state["positions"][0]))[None]}


FORMATS: dict[str, tuple[bool, float, Callable[[State], State]]] = {
    "timm": (False, 1e-6, lambda state: called(joint(state), TIMM)),
    "torchvision": (False, 1e-6, lambda state: called(joint(state), TORCHVISION)),
    "hugging face": (False, 1e-12, lambda state: called(state, HUGGING_FACE)),
    "hugging face 5": (False, 1e-12, lambda state: called(state, IN_MEMORY)),
    "dynas-t": (True, 1e-6, of_dynast),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_vision_transformer_of_another_package_is_read(kind: str, tmp_path: Path) -> None:
    twice, epsilon, written = FORMATS[kind]
    source = narrow_vit(residual_norm=twice, epsilon=epsilon, seed=4)
    state = written(source.elastic.state_dict())
    assert not set(state) & {name for name in source.elastic.state_dict() if name.startswith(("layers", "positions"))}
    save_file({name: value.clone() for name, value in state.items()}, tmp_path / "model.safetensors")
    read = narrow_vit(weights=str(tmp_path / "model.safetensors"))
    assert (read.shape.twice, read.shape.epsilon) == (twice, epsilon)
    images = source.example_inputs(2)
    with torch.inference_mode():
        assert torch.equal(read.elastic(*images), source.elastic(*images))


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_a_folder_of_hugging_face_is_read_without_its_pretraining_heads(file: str, tmp_path: Path) -> None:
    source = narrow_bert(seed=4)
    state = called(source.elastic.state_dict(), BERT) | {"cls.predictions.bias": torch.zeros(60)}
    state["bert.embeddings.position_ids"] = torch.arange(20)[None]
    if file.endswith("bin"):
        torch.save(state, tmp_path / file)
    else:
        save_file({name: value.clone() for name, value in state.items()}, tmp_path / file)
    read = narrow_bert(weights=str(tmp_path))
    texts = source.example_inputs(2)
    with torch.inference_mode():
        assert torch.equal(read.elastic(*texts), source.elastic(*texts))


def test_padding_behind_a_text_changes_nothing() -> None:
    subnet = narrow_bert(seed=4).subnet(narrow_bert().space.decode(narrow_bert().space.middle()))
    pieces, mask = narrow_bert().example_inputs(3)
    padded = torch.cat([pieces, torch.zeros(3, 5, dtype=torch.long)], dim=1)
    hidden = torch.cat([mask, torch.zeros(3, 5, dtype=torch.long)], dim=1)
    with torch.inference_mode():
        torch.testing.assert_close(subnet(padded, hidden), subnet(pieces, mask))
        torch.testing.assert_close(subnet(pieces), subnet(pieces, mask))


def test_latency_is_that_of_a_text_of_the_data() -> None:
    data = sentiment(200, "embedded", 20, 0)
    padded, usual = (narrow_bert(vocabulary=data.vocabulary, length=length) for length in (20, None))
    for supernet in (padded, usual):
        supernet.meet(data)
    pieces, mask = padded.example_inputs(3)
    assert pieces.shape == mask.shape == (3, 20)
    assert pieces[2][mask[2] == 1].tolist() == data.typical()
    assert usual.example_inputs(2)[1].sum() == 2 * len(data.typical()) == 2 * data.length
    largest = usual.space.largest()[None]
    assert usual.macs(largest) < padded.macs(largest)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no ascending heads": (lambda: narrow_vit(heads=(3, 2)), r"supernet\.heads=\[3, 2\]: give positive whole numbers"),
    "shares and units": (lambda: narrow_vit(feeds=(1.5, 2)), r"supernet\.feeds=\[1\.5, 2\]: give positive whole"),
    "no head size": (lambda: narrow_vit(head_size=0), r"supernet\.head_size=0: give a positive number"),
    "a torn patch": (lambda: narrow_vit(patch=5), r"resolution=\[28, 56\] patch=5 .* multiples of the patch"),
    "one side": (lambda: narrow_vit(resolution=(28,)), r"supernet\.resolution=\[28\]: give \[height,width\]"),
    "a long text": (lambda: narrow_bert(length=21), r"supernet\.length=21 is longer than supernet\.positions=20"),
    "no words": (lambda: narrow_bert(vocabulary=0), r"supernet bert needs positive numbers for vocabulary"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_shape_that_makes_no_sense_is_refused(kind: str) -> None:
    make, message = REFUSED[kind]
    with pytest.raises(DynasError, match=message):
        make()


def test_weights_of_another_family_are_refused(tmp_path: Path) -> None:
    save_file(narrow_bert().elastic.state_dict(), tmp_path / "bert.safetensors")
    with pytest.raises(DynasError, match=r"do not fit this supernet: it lacks 'class_token'"):
        narrow_vit(weights=str(tmp_path / "bert.safetensors"))
