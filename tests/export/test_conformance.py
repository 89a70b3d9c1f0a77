"""Every format keeps the promises of formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dynas.data.fashion_mnist import FashionMNIST
from dynas.data.sentiment import sentiment
from dynas.export import onnx, onnx_int8, pytorch, torch_export
from dynas.export.gguf import Gguf
from dynas.export.hugging_face import HuggingFace
from dynas.export.network import Network
from dynas.export.openvino import OpenVino
from dynas.metrics.calibration import recalibrated
from dynas.supernets.decoder import DecoderSupernet
from dynas.supernets.ncf import NcfSupernet
from dynas.supernets.resnet50 import ResNet50Supernet
from dynas.testing import FormatSuite
from tests.helpers.supernets import NARROW_BERT, narrow_autoformer, narrow_bert, narrow_vit

pytestmark = pytest.mark.slow

SETTINGS: dict[str, Any] = {
    "weights": "random",
    "users": 7,
    "items": 30,
    "embed_dims": [3, 5],
    "hidden_sizes": [1, 6, 11],
    "layers": 3,
}


def recommender() -> Network:
    """Return a sub-network with two inputs."""
    supernet = NcfSupernet(**SETTINGS)
    architecture = supernet.space.decode(supernet.space.largest())
    config = {"supernet": {"_target_": "dynas.supernets.ncf.NcfSupernet", **SETTINGS}}
    return Network(supernet.subnet(architecture), supernet, architecture, config)


def texts() -> Network:
    """Return a sub-network whose inputs may be of any length."""
    supernet = narrow_bert()
    architecture = supernet.space.decode(supernet.space.middle())
    config = {"supernet": {"_target_": "dynas.supernets.bert.BertSupernet", **NARROW_BERT}}
    return Network(supernet.subnet(architecture), supernet, architecture, config)


def images() -> Network:
    """Return a classifier of images, and some."""
    supernet = ResNet50Supernet("embedded", 0.125, (28, 56), 1, 100, 2, (1, 2, 2, 2), 1)
    architecture = supernet.space.decode(supernet.space.smallest())
    data = FashionMNIST("embedded", 2, 50, 40)
    return Network(recalibrated(supernet.subnet(architecture), data), supernet, architecture, {}, data=data)


def judged_texts() -> Network:
    """Return a classifier of texts, and some."""
    data = sentiment(32, "embedded", 20, 0)
    supernet = narrow_bert(vocabulary=data.vocabulary, classes=2)
    architecture = supernet.space.decode(supernet.space.middle())
    return Network(supernet.subnet(architecture), supernet, architecture, {}, data=data)


def decoder() -> Network:
    """Return a decoder whose layers differ, with a tokenizer."""
    supernet = DecoderSupernet(
        weights="random", config=None, widths=(0.5, 1.0), layers=None, skip="inner", groups=(0, 1, 2, 3),
        feeds=(0.25, 0.5, 1.0), calibration=None, calibration_tokens=0, length=12,
    )  # fmt: skip
    architecture = supernet.space.decode(supernet.space.smallest())
    architecture |= {"keep": [1, 0, 0, 1], "groups": [1, 0, 0, 0, 0, 2], "feed": [128] * 5 + [256]}
    return Network(supernet.subnet(architecture), supernet, architecture, {})


OF_DECODERS = {
    "HuggingFace": HuggingFace(padded=False), "HuggingFacePadded": HuggingFace(padded=True), "Gguf": Gguf("F16", 2e-3),
}  # fmt: skip
FORMATS = {"Pytorch": pytorch, "TorchExport": torch_export, "Onnx": onnx, "OpenVino": OpenVino("fp32", 1e-4)}
IN_INT8 = {"OpenVinoInt8": OpenVino("int8", None), "OnnxInt8": onnx_int8}
CALIBRATED = {"OfImages": images, "OfJudgedTexts": judged_texts}
NETWORKS = {"": recommender, "OfTexts": texts}


def suite(form: Any, make: Callable[[], Network]) -> dict[str, Any]:
    """Return what a sub-class of `FormatSuite` says."""
    return {"form": form, "make_network": staticmethod(make)}


globals().update(
    {
        f"Test{name}{kind}": type(f"Test{name}{kind}", (FormatSuite,), suite(form, make))
        for forms, networks in ((FORMATS, NETWORKS), (IN_INT8, CALIBRATED))
        for name, form in forms.items()
        for kind, make in networks.items()
    }
    | {f"Test{name}": type(f"Test{name}", (FormatSuite,), suite(form, decoder)) for name, form in OF_DECODERS.items()}
)


def test_texts_are_tried_in_several_lengths() -> None:
    network = texts()
    assert {inputs[0].shape[1] for inputs in network.trials} == {2, 12, 20}
    assert network.signature == [{"shape": ["batch", "tokens"], "dtype": "int64"}] * 2


@pytest.mark.parametrize("make", [narrow_autoformer, narrow_vit], ids=["relative positions", "positions"])
def test_a_vision_transformer_is_exported(make: Any, tmp_path: Path) -> None:
    supernet = make()
    architecture = supernet.space.decode(supernet.space.middle())
    network = Network(supernet.subnet(architecture), supernet, architecture, {})
    onnx.save(network, tmp_path)
    assert onnx.difference(network, tmp_path) <= onnx.TOLERANCE


@pytest.mark.parametrize("form", IN_INT8.values(), ids=IN_INT8)
@pytest.mark.parametrize("make", NETWORKS.values(), ids=["recommender", "texts without data"])
def test_nothing_is_quantised_without_samples_to_calibrate_on(form: Any, make: Callable[[], Network]) -> None:
    assert form.refusal(make()) == "INT8 is for classifiers of images or texts, whose data hold samples to calibrate on"
