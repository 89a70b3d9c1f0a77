"""Every format keeps the promises of formats."""

from __future__ import annotations

from typing import Any

import pytest

from dynas.export import onnx, pytorch, torch_export
from dynas.export.network import Network
from dynas.supernets.ncf import NcfSupernet
from dynas.testing import FormatSuite

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


class TestPytorch(FormatSuite):
    form = pytorch
    make_network = staticmethod(recommender)


class TestTorchExport(FormatSuite):
    form = torch_export
    make_network = staticmethod(recommender)


class TestOnnx(FormatSuite):
    form = onnx
    make_network = staticmethod(recommender)
