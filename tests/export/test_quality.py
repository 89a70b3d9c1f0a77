"""Files are judged by their task, beside the network that they were written from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dynas.data.fashion_mnist import FashionMNIST
from dynas.data.sentiment import sentiment
from dynas.data.simulated_choices import simulated_choices
from dynas.errors import DynasError
from dynas.export.formats import FORMATS, chosen, named
from dynas.export.network import Network, Quantisation, Tensors, in_parts, run
from dynas.export.quality import Quality, examine
from dynas.export.write import read_int8, write
from dynas.metrics.accuracy import top1
from dynas.metrics.calibration import recalibrated
from dynas.metrics.ranking import HitRate, score
from dynas.metrics.texts import accuracy
from dynas.supernets.ncf import NcfSupernet
from dynas.supernets.resnet50 import ResNet50Supernet
from tests.helpers.supernets import narrow_bert

pytestmark = pytest.mark.slow


class Dark(FashionMNIST):
    """Images that are calibrated on far darker ones than those that are judged."""

    def calibration_batches(self) -> Iterator[Tensor]:
        return (0.02 * images for images in super().calibration_batches())


def of_images(data: FashionMNIST, **more: Any) -> Network:
    supernet = ResNet50Supernet("embedded", 0.125, (28, 56), 1, 100, 2, (1, 2, 2, 2), 1)
    architecture = supernet.space.decode(supernet.space.smallest())
    module = recalibrated(supernet.subnet(architecture), FashionMNIST("embedded", 2, 100, 64))
    return Network(module, supernet, architecture, {}, data=data, **more)


@pytest.fixture(scope="module")
def network() -> Network:
    return of_images(FashionMNIST("embedded", 2, 300, 64))


def test_a_network_is_as_good_as_itself_and_as_its_metric_says(network: Network) -> None:
    found = examine(network).quality(partial(run, network.module), int8=False)
    assert found is not None
    assert (found.name, found.samples, found.difference) == ("top1", 300, 0.0)
    assert found.value == found.network == pytest.approx(top1(network.module, network.data.validation_batches()))  # type: ignore[union-attr]
    share = found.value / 100
    assert found.error == pytest.approx(100 * (share * (1 - share) / 300) ** 0.5)
    assert (found.lost, found.lost_error) == (0, 0)
    assert found.kept


def test_what_is_lost_is_told_sample_by_sample(network: Network) -> None:
    examination, wrong = examine(network), count()

    def spoilt(inputs: Tensors) -> Tensors:
        """Answer as the network, but for every tenth sample, which gets the class that it finds least likely."""
        (logits,) = run(network.module, inputs)
        tenth = torch.tensor([next(wrong) % 10 == 0 for _ in logits])
        return (torch.where(tenth[:, None], -logits, logits),)

    found = examination.quality(spoilt, int8=True)
    assert found is not None
    right = np.concatenate(examination.scores) / 100
    lost = right[::10].sum()
    assert found.lost == pytest.approx(100 * lost / 300)
    share = lost / 300
    assert found.lost_error == pytest.approx(100 * (share * (1 - share) / 300) ** 0.5)
    assert not found.kept


@pytest.mark.parametrize(
    ("lost", "error", "measured", "value", "kept"),
    [
        (0.5, 0.1, None, 79.5, True),  # within one percent of 80
        (1.0, 0.1, None, 79.0, False),
        (1.0, 0.4, None, 79.0, True),  # may be chance
        (9.0, 0.1, 72.0, 71.0, True),  # as good as it was measured in INT8
        (0.0, 0.1, 84.0, 80.0, False),
        (-3.0, 0.1, None, 83.0, True),
    ],
)
def test_what_may_be_lost(lost: float, error: float, measured: float | None, value: float, kept: bool) -> None:
    assert Quality("top1", value, 1.0, 80.0, 1.0, lost, error, 1600, 0.1, measured).kept == kept


@pytest.mark.parametrize("size", [1, 4, 7, 20])
def test_one_batch_size_takes_any_number_of_samples(size: int) -> None:
    inputs = (torch.randn(13, 3), torch.arange(13))
    seen = []

    def answer(given: Tensors) -> Tensors:
        seen.append(len(given[0]))
        return given[0] * given[1][:, None], given[1]

    for expected, given in zip(
        (inputs[0] * inputs[1][:, None], inputs[1]), in_parts(answer, inputs, size), strict=True
    ):
        assert torch.equal(expected, given)
    assert set(seen) == {size}


def test_texts_and_choices_are_judged_as_their_metrics_do() -> None:
    data = sentiment(64, "embedded", 20, 0)
    supernet = narrow_bert(vocabulary=data.vocabulary, classes=2)
    architecture = supernet.space.decode(supernet.space.middle())
    texts = Network(supernet.subnet(architecture), supernet, architecture, {}, data=data)
    found = examine(texts).quality(partial(run, texts.module), int8=False)
    assert found is not None
    assert (found.name, found.value) == ("accuracy", pytest.approx(accuracy(texts.module, data).value))
    choices = simulated_choices()
    recommender = NcfSupernet("random", 1200, 1000, [3, 5], [1, 6, 11], 3)
    architecture = recommender.space.decode(recommender.space.largest())
    pairs = Network(recommender.subnet(architecture), recommender, architecture, {}, data=choices)
    found = examine(pairs).quality(partial(run, pairs.module), int8=False)
    assert found is not None
    expected = HitRate(10).average(score(pairs.module, choices))  # type: ignore[arg-type]
    assert (found.name, found.value) == ("hr10", pytest.approx(expected))


def test_a_file_that_loses_much_is_marked_and_said_why(tmp_path: Path) -> None:
    written = write(of_images(Dark("embedded", 2, 100, 64)), ["openvino", "openvino_int8"], tmp_path, {})
    assert [one.matches for one in written] == [True, False]
    lossy = written[1]
    assert lossy.lossy
    assert lossy.quality is not None
    assert lossy.quality.lost > 10
    assert "more than 3 standard errors and than 1% of it" in lossy.complaint
    assert not any(one.kept for one in read_int8(tmp_path / "export.json").values())


def test_what_was_measured_in_int8_is_what_a_file_must_reach(network: Network, tmp_path: Path) -> None:
    quantisation = Quantisation(64, False, measured=99.0)
    (written,) = write(replace(network, quantisation=quantisation), ["openvino_int8"], tmp_path, {})
    assert not written.matches
    assert "measured in INT8 99.0 %" in written.complaint


def test_int8_takes_one_batch_size_where_that_is_asked_for(network: Network, tmp_path: Path) -> None:
    only = replace(network, batch_size=7)
    for one in write(only, ["openvino_int8", "onnx_int8"], tmp_path, {}):
        assert one.quality is not None
        assert one.quality.samples == 300
        assert one.quality.lost < 10
        with pytest.raises(Exception, match=r"(?i)shape|dimension|size"):
            FORMATS[one.name].load(tmp_path)((torch.ones(2, 1, 28, 56),))


def test_all_is_what_fits_and_reasons_for_the_rest(network: Network) -> None:
    names, left_out = chosen(["all"], network)
    assert names == ["torch_export", "onnx", "openvino", "openvino_int8", "onnx_int8"]
    assert left_out.keys() == FORMATS.keys() - set(names)
    assert "was given as an object" in left_out["pytorch"]
    assert "is for networks of language modelling" in left_out["gguf"]
    assert chosen(None, network)[0] == ["torch_export", "onnx", "openvino"]
    assert chosen(None, network, "int8") == (["openvino_int8"], {})
    with pytest.raises(DynasError, match="gguf is for networks of language modelling, not for 'resnet50'"):
        chosen(["gguf"], network)
    with pytest.raises(DynasError, match="'all' stands by itself"):
        named("onnx,all")
