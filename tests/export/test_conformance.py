"""Every format keeps the promises of formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dynas.export import onnx, pytorch, torch_export
from dynas.export.gguf import Gguf
from dynas.export.hugging_face import HuggingFace
from dynas.export.network import Network
from dynas.supernets.decoder import DecoderSupernet
from dynas.supernets.ncf import NcfSupernet
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
FORMATS = {"Pytorch": pytorch, "TorchExport": torch_export, "Onnx": onnx}
NETWORKS = {"": recommender, "OfTexts": texts}


def suite(form: Any, make: Callable[[], Network]) -> dict[str, Any]:
    """Return what a sub-class of `FormatSuite` says."""
    return {"form": form, "make_network": staticmethod(make)}


globals().update(
    {
        f"Test{name}{kind}": type(f"Test{name}{kind}", (FormatSuite,), suite(form, make))
        for name, form in FORMATS.items()
        for kind, make in NETWORKS.items()
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
