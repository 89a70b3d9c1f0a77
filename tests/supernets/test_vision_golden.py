"""Vision transformers against outputs of the original code of DyNAS-T and AutoFormer on the same weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

from dynas.compose.frames import register
from dynas.compose.parts import build_supernet
from dynas.supernets.vit import VisionSupernet
from dynas.system.folders import CONFIGS
from tests.helpers import golden as checks
from tests.helpers.golden import Golden, load_golden

pytestmark = pytest.mark.slow

FILES = {
    "dynast_vit_public": ("vit_base", "vit_tensor"),
    "autoformer_t_public": ("autoformer_t", "autoformer_tensor"),
    "autoformer_s_public": ("autoformer_s", "autoformer_tensor"),
    "autoformer_b_public": ("autoformer_b", "autoformer_tensor"),
}
SIZES = {
    "vit_base": 9_721_026_183_168,
    "autoformer_t": 1_056_964_608,
    "autoformer_s": 77_103_263_459_313,
    "autoformer_b": 10_108_977_168_384,
}
OURS = {  # the original's names of design variables
    "num_layers": "layers", "num_attention_heads": "heads", "vit_intermediate_sizes": "feed", "embed_dim": "width",
    "depth": "layers", "num_heads": "heads", "mlp_ratio": "feed",
}  # fmt: skip


@cache
def composed(option: str) -> Any:
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("search", overrides=[f"supernet={option}"])


def make(option: str, weights: str) -> VisionSupernet:
    config = composed(option).copy()
    config.supernet.weights = weights
    return build_supernet(config)  # type: ignore[return-value]


@pytest.fixture(scope="module", params=FILES)
def golden(request: pytest.FixtureRequest, reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """The golden file of each network, its cases with our names of design variables."""
    option, rule = FILES[request.param]
    folder = tmp_path_factory.mktemp("golden")
    found = load_golden(reference, request.param, lambda path: make(option, path), folder, rule)
    for case in found.cases:
        case["arch"] = {OURS[name]: value for name, value in case["arch"].items()}
        linear, products, relative = (
            case.get(f"macs_{kind}", 0) for kind in ("linear", "attention", "relative_position")
        )
        case["macs"] = linear + products + relative
    return found


def within(golden: Golden) -> list[dict[str, Any]]:
    """The cases whose options the space has: one of AutoFormer's published networks is outside its own."""
    return [case for case in golden.cases if case.get("in_space", True)]


def test_logits_are_those_of_the_original(golden: Golden) -> None:
    checks.check_logits(golden)


def test_features_are_those_of_the_original(golden: Golden) -> None:
    direction = np.random.RandomState(1).standard_normal(1000)
    for case in golden.cases:
        with torch.inference_mode():
            found = golden.supernet.subnet(case["arch"]).features(golden.images).double().numpy()
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), case["features_l2"], rtol=1e-4)
        off = np.abs(found @ direction[: found.shape[1]] - case["features_proj"])
        assert (off <= 1e-4 * np.array(case["features_l2"])).all(), case["id"]


def test_macs_and_parameters_are_exact(golden: Golden) -> None:
    checks.check_costs(golden._replace(content=golden.content | {"cases": within(golden)}))


def test_aliases_are_the_same_sub_network_and_nothing_else_is(golden: Golden) -> None:
    checks.check_aliases(golden._replace(content=golden.content | {"cases": within(golden)}))


def test_the_space_has_the_published_size(golden: Golden) -> None:
    option = FILES[golden.content["name"].replace("_base_imagenet", "") + "_public"][0]
    assert golden.supernet.space.size == SIZES[option]


def test_a_sub_network_on_shared_weights_is_the_one_that_is_cut_out(golden: Golden) -> None:
    arch = within(golden)[2]["arch"]
    images = golden.images[:1]
    with torch.inference_mode():
        torch.testing.assert_close(golden.supernet.elastic(images, arch), golden.supernet.subnet(arch)(images))
