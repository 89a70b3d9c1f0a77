"""Any pretrained BERT as a supernet: its largest sub-network is the network itself, smaller ones keep what matters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from dynas.core.supernet import Supernet
from dynas.data.sentiment import sentiment
from dynas.data.text.labelled import LabelledTexts
from dynas.errors import DynasError
from dynas.supernets.pretrained_bert import PretrainedBertSupernet
from dynas.supernets.transformers.importance import by_activations, by_weights, places, put_in_order
from dynas.supernets.transformers.pretrained import Layout, counts
from dynas.supernets.weights.storage import save_weights
from dynas.testing.supernet import SupernetSuite
from tests.helpers.encoders import bert_folder
from tests.helpers.supernets import narrow_bert

SHARES: dict[str, Any] = {"layers": [0.5, 0.75, 1], "heads": [0.34, 0.67, 1], "feeds": [0.25, 0.5, 1]}


def pretrained(weights: object, **changes: Any) -> PretrainedBertSupernet:
    """Return the supernet of some weights."""
    settings = {"weights": str(weights), "order": "activations", "drop": "top", **SHARES}
    return PretrainedBertSupernet(**(settings | changes))


def logits(supernet: Supernet, texts: tuple[Tensor, ...]) -> Tensor:
    """Return what the largest sub-network says of texts."""
    with torch.inference_mode():
        found: Tensor = supernet.subnet(supernet.space.decode(supernet.space.largest()))(*texts)
    return found


@pytest.fixture(scope="module")
def texts() -> LabelledTexts:
    """Sentences in few word pieces, each of which stands for many."""
    data = sentiment(100, "embedded", 20, 0)
    data._training, data._validation = (
        [([piece % 60 for piece in pieces], label) for pieces, label in part]
        for part in (data._training, data._validation)
    )
    return data


@pytest.mark.parametrize("drop", ["top", "importance"])
@pytest.mark.parametrize("order", ["weights", "activations"])
def test_the_largest_sub_network_is_the_network(order: str, drop: str, tmp_path: Path, texts: LabelledTexts) -> None:
    source = bert_folder(tmp_path)
    supernet = pretrained(tmp_path, order=order, drop=drop)
    before = [weight.clone() for weight in supernet.elastic.parameters()]
    supernet.meet(texts)
    assert all(map(torch.equal, before, supernet.elastic.parameters())) is (order == "weights")
    batch = source.example_inputs(4)
    torch.testing.assert_close(logits(supernet, batch), logits(source, batch), rtol=1e-5, atol=1e-6)


def test_heads_and_units_come_in_order_of_importance(tmp_path: Path, texts: LabelledTexts) -> None:
    bert_folder(tmp_path)
    by_texts, alone = pretrained(tmp_path), pretrained(tmp_path, order="weights")
    by_texts.meet(texts)
    found = (
        by_activations(by_texts.elastic, islice(texts.calibration_batches(), 1)),
        by_weights(alone.elastic.blocks),
    )
    for importance in found:
        for layer in importance:
            for values in (layer.heads, layer.units):
                assert bool((values.diff() <= 1e-9).all())
                assert len(values.unique()) > 1
    assert found[0][0].units[0] > found[0][0].units[-1]


def test_a_unit_that_never_answers_goes_first(tmp_path: Path, texts: LabelledTexts) -> None:
    source = bert_folder(tmp_path)
    layer = source.elastic.blocks[1]
    with torch.no_grad():
        layer.up.weight[0] = 0
        layer.up.bias[0] = 0
    importance = by_activations(source.elastic, texts.calibration_batches())
    assert int(importance[1].units.argmin()) == 0
    put_in_order(source.elastic.blocks, importance)
    assert bool((layer.up.weight[-1] == 0).all())


def test_padding_has_no_say_in_what_matters(texts: LabelledTexts) -> None:
    net = narrow_bert(seed=4).elastic
    pieces, mask = next(iter(texts.calibration_batches()))
    longer = torch.cat([pieces, torch.full_like(pieces, 7)], dim=1)[:, :20]
    hidden = torch.cat([mask, torch.zeros_like(mask)], dim=1)[:, :20]
    for one, other in zip(by_activations(net, [(pieces, mask)]), by_activations(net, [(longer, hidden)]), strict=True):
        torch.testing.assert_close(one.heads, other.heads)
        torch.testing.assert_close(one.units, other.units)
        assert one.layer == pytest.approx(other.layer)


def test_layers_that_turn_texts_least_are_dropped_first(tmp_path: Path, texts: LabelledTexts) -> None:
    source = bert_folder(tmp_path)
    supernet = pretrained(tmp_path, drop="importance", order="weights")
    supernet.meet(texts)
    importance = by_activations(source.elastic, islice(texts.calibration_batches(), 1))
    order = places(importance)
    assert supernet.layout.places == order != (0, 1, 2, 3)
    architecture = supernet.space.decode(supernet.space.largest()) | {"layers": 2}
    subnet = supernet.subnet(architecture)
    kept = [layer for layer in range(4) if order[layer] < 2]
    assert subnet.kept == kept
    for mine, layer in zip(subnet.blocks, kept, strict=True):
        assert torch.equal(mine.up.weight, supernet.elastic.blocks[layer].up.weight)
    genotype = supernet.space.largest()
    genotype[0] = 0
    genotype = supernet.space.canonical(genotype[None])
    assert supernet.params(genotype)[0] == sum(weight.numel() for weight in subnet.parameters())
    gone = [layer for layer in range(4) if layer not in kept]
    assert np.flatnonzero(genotype[0, 1:] == 0).tolist() == [*gone, *(4 + layer for layer in gone)]


def test_another_order_is_told_as_other_weights(tmp_path: Path, texts: LabelledTexts) -> None:
    bert_folder(tmp_path)
    one, again, other = pretrained(tmp_path), pretrained(tmp_path), pretrained(tmp_path, order="weights")
    for supernet in (one, again, other):
        supernet.meet(texts)
    assert one.weights_digest == again.weights_digest != other.weights_digest
    one.meet(texts)
    assert one.weights_digest == again.weights_digest


def test_a_trained_file_says_what_it_is_and_keeps_its_order(tmp_path: Path, texts: LabelledTexts) -> None:
    bert_folder(tmp_path / "source")
    source = pretrained(tmp_path / "source", drop="importance")
    source.meet(texts)
    (tmp_path / "trained").mkdir()
    path = tmp_path / "trained" / "weights.safetensors"
    save_weights(source.elastic, path, "half", source.inferred)
    read = pretrained(path)
    read.meet(texts)
    assert (read.layout, read.space.size) == (source.layout, source.space.size)
    batch = source.example_inputs(2)
    for genotype in read.space.sample(4, np.random.default_rng(0)):
        one, other = (supernet.subnet(supernet.space.decode(genotype)) for supernet in (read, source))
        with torch.inference_mode():
            torch.testing.assert_close(one(*batch), other(*batch), rtol=0.02, atol=0.01)


def test_an_untrained_one_of_the_same_shape_needs_the_layout_only(tmp_path: Path) -> None:
    bert_folder(tmp_path)
    source = pretrained(tmp_path)
    again = pretrained("random", **json.loads(json.dumps(source.inferred)))
    assert (again.layout, again.trained, source.trained) == (source.layout, False, True)


@pytest.mark.parametrize(("pooling", "seen"), [(None, "first"), ("first", "first"), ("mean", "mean")])
def test_a_new_classifier_comes_on_request_only(pooling: str | None, seen: str, tmp_path: Path) -> None:
    bert_folder(tmp_path, classifier=False)
    with pytest.raises(DynasError, match=r"has no classifier.*give supernet\.new_classes=<number of classes>"):
        pretrained(tmp_path)
    supernet = pretrained(tmp_path, new_classes=5, pooling=pooling)
    assert (supernet.classes, supernet.layout.pooling, supernet.trained) == (5, seen, False)
    assert logits(supernet, supernet.example_inputs(3)).shape == (3, 5)
    genotypes = supernet.space.sample(3, np.random.default_rng(0))
    for genotype, params in zip(genotypes, supernet.params(genotypes), strict=True):
        assert params == sum(one.numel() for one in supernet.subnet(supernet.space.decode(genotype)).parameters())


def test_the_mean_of_a_text_does_not_see_its_padding(tmp_path: Path) -> None:
    bert_folder(tmp_path, classifier=False)
    net = pretrained(tmp_path, new_classes=2, pooling="mean").elastic
    pieces, mask = narrow_bert().example_inputs(2)
    zeros = torch.zeros(2, 3, dtype=torch.long)
    with torch.inference_mode():
        alone = net(pieces)
        torch.testing.assert_close(net(pieces, mask), alone)
        torch.testing.assert_close(net(torch.cat([pieces, zeros], 1), torch.cat([mask, zeros], 1)), alone)


@given(whole=st.integers(1, 40), shares=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5, unique=True))
@settings(max_examples=50)
def test_shares_become_the_nearest_whole_numbers(whole: int, shares: list[float]) -> None:
    options = counts("heads", (*sorted(shares), 1.0), whole)
    assert options == tuple(sorted(set(options)))
    assert options[-1] == whole
    assert options[0] >= 1
    assert all(
        min(abs(share * whole - option) for option in options) <= max(0.5, 1 - share * whole) for share in shares
    )


def without(key: str, folder: Path) -> Path:
    """Take a tensor out of a folder's weights."""
    state = load_file(folder / "model.safetensors")
    save_file({name: value for name, value in state.items() if key not in name}, folder / "model.safetensors")
    return folder


def unsaid(folder: Path) -> Path:
    """Return a folder's file of weights alone, without its config."""
    (folder / "config.json").unlink()
    return folder / "model.safetensors"


def torn(folder: Path) -> Path:
    """Tear a folder's config."""
    (folder / "config.json").write_text('{"model_type":')
    return folder


REFUSED: dict[str, tuple[dict[str, Any], Callable[[Path], Path] | None, dict[str, Any], str]] = {
    "another family": ({"model_type": "roberta"}, None, {}, r"model_type=roberta, but supernet=bert is for .*=bert"),
    "another function": ({"hidden_act": "relu"}, None, {}, r"hidden_act=relu, but supernet=bert is for"),
    "a torn config": ({}, torn, {}, r"is no config\.json of Hugging Face transformers"),
    "no heads": ({}, unsaid, {}, r"nothing says how many heads .*supernet\.stored_heads=<number>"),
    "odd heads": ({"num_attention_heads": 5}, None, {}, r"5 heads cannot share a width of 24 evenly"),
    "words for heads": ({"num_attention_heads": "3"}, None, {}, r"heads=3: a positive whole number is needed"),
    "no words": ({}, lambda folder: without("word_emb", folder), {}, r"is no BERT: it has no word embeddings"),
    "no layers": ({}, lambda folder: without("layer.", folder), {}, r"is no BERT: it has no layers"),
    "a missing matrix": ({}, lambda folder: without("layer.1.output.dense", folder), {}, r"it lacks 'layers\.1\.down"),
    "shares that fall": ({}, None, {"heads": [1, 0.5]}, r"supernet\.heads=\[1\.0, 0\.5\]: give shares of .* 3 in asc"),
    "no whole": (
        {},
        None,
        {"feeds": [0.25, 0.5]},
        r"supernet\.feeds=\[0\.25, 0\.5\]: give shares .*the last one being 1",
    ),
    "an unknown order": ({}, None, {"order": "random"}, r"supernet\.order=random: give activations or weights"),
    "an unknown drop": ({}, None, {"drop": "bottom"}, r"supernet\.drop=bottom: give top or importance"),
    "another pooling": ({}, None, {"pooling": "mean"}, r"supernet\.pooling=mean is not what the stored classifier was"),
    "unknown pooling": ({}, None, {"pooling": "max", "new_classes": 2}, r"supernet\.pooling=max: give first or mean"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_makes_no_sense_is_refused(kind: str, tmp_path: Path) -> None:
    config, change, options, message = REFUSED[kind]
    bert_folder(tmp_path, **config)
    with pytest.raises(DynasError, match=message):
        pretrained(change(tmp_path) if change else tmp_path, **options)


def test_no_weights_and_no_layout_are_refused() -> None:
    with pytest.raises(DynasError, match="supernet bert is made from a trained network: give its file or folder"):
        pretrained("random")
    with pytest.raises(DynasError, match=r"the layout of a BERT needs .*: look at .*widht"):
        pretrained("random", network={"widht": 3})


LAYOUT = asdict(Layout(60, 20, 2, 3, width=24, layers=3, heads=3, units=20, places=(1, 2, 0)))


class TestConformance(SupernetSuite):
    """Layers kept in another order than theirs."""

    make = staticmethod(lambda: pretrained("random", network=LAYOUT, length=9))
