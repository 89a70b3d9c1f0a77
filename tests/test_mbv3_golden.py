"""Our MobileNetV3 against outputs of the original Once-for-All code on the same weights (see the reference folder)."""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from dynas import SearchSpace
from dynas.metrics.accuracy import recalibrate
from dynas.supernets.mbconv_supernet import MBConvSupernet
from dynas.supernets.mbv3 import MobileNetV3Supernet

FILES = {"ofa_mbv3_public": 1.0, "ofa_mbv3_w12_public": 1.2}


class Golden(NamedTuple):
    content: dict[str, Any]
    supernet: MBConvSupernet
    images: torch.Tensor

    @property
    def cases(self) -> list[dict[str, Any]]:
        return self.content["cases"]


def load_rule(reference: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_rule", reference / "golden_rule.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_golden(
    reference: Path, name: str, make: Callable[[str], MBConvSupernet], folders: pytest.TempPathFactory
) -> Golden:
    """One golden file, and the supernet loaded from a checkpoint of the weights that it prescribes."""
    rule = load_rule(reference)
    with gzip.open(reference / f"{name}.json.gz", "rt") as file:
        content = json.load(file)
    state = {key: torch.from_numpy(np.asarray(rule.ofa_tensor(key, shape))) for key, shape, _ in content["state_dict"]}
    path = folders.mktemp("golden") / "checkpoint.pth"
    torch.save({"state_dict": state}, path)
    return Golden(content, make(str(path)), torch.from_numpy(rule.image_input()))


@pytest.fixture(scope="module", params=FILES)
def golden(request: pytest.FixtureRequest, reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """The golden file of one width."""

    def make(weights: str) -> MobileNetV3Supernet:
        return MobileNetV3Supernet(weights, FILES[request.param], (224, 224), 3, 1000, 2, (2, 2, 2, 1, 2))

    return load_golden(reference, request.param, make, tmp_path_factory)


def test_the_state_dict_is_that_of_the_public_checkpoint(golden: Golden) -> None:
    own = {key: list(value.shape) for key, value in golden.supernet.elastic.state_dict().items()}
    assert own == {key: shape for key, shape, _ in golden.content["state_dict"]}


def test_extracted_networks_have_the_original_keys_and_shapes(golden: Golden) -> None:
    cases = [case for case in golden.cases if "static_state_dict" in case]
    assert cases
    for case in cases:
        subnet = golden.supernet.subnet(case["arch"])
        own = {key: list(value.shape) for key, value in subnet.state_dict().items()}
        assert own == dict(map(tuple, case["static_state_dict"])), case["id"]


def test_logits_are_those_of_the_original(golden: Golden) -> None:
    direction = np.random.RandomState(1).standard_normal(1000)
    for case in golden.cases:
        with torch.inference_mode():
            logits = golden.supernet.subnet(case["arch"])(golden.images).double().numpy()
        wanted = np.array(case["logits16"])
        tolerance = 1e-4 * np.maximum(1, np.abs(wanted).max(axis=1, keepdims=True))
        assert (np.abs(logits[:, :16] - wanted) <= tolerance).all(), case["id"]
        assert logits.argmax(axis=1).tolist() == case["argmax"], case["id"]
        np.testing.assert_allclose(np.linalg.norm(logits, axis=1), case["l2"], rtol=1e-4, err_msg=case["id"])
        off = np.abs(logits @ direction - case["proj"])
        assert (off <= 1e-4 * np.array(case["l2"])).all(), case["id"]


def test_logits_at_another_resolution_are_those_of_the_original(golden: Golden, reference: Path) -> None:
    images = torch.from_numpy(load_rule(reference).image_input(res=160))
    cases = [case for case in golden.cases if "res160_logits16" in case]
    assert cases
    for case in cases:
        with torch.inference_mode():
            logits = golden.supernet.subnet(case["arch"])(images).numpy()[:, :16]
        wanted = np.array(case["res160_logits16"])
        assert np.abs(logits - wanted).max() <= 1e-4 * max(1, np.abs(wanted).max()), case["id"]


def test_macs_at_another_resolution_are_those_of_a_supernet_made_for_it(golden: Golden) -> None:
    shape, family = golden.supernet.shape, type(golden.supernet)
    settings = ("random", shape.width, shape.resolution, shape.channels, shape.classes, 2, shape.strides)
    elastic = family(*settings, resolutions=[160, 224])
    fixed = family(*settings[:2], (160, 160), *settings[3:])
    archs = [case["arch"] for case in golden.cases]
    plain = np.stack([fixed.space.encode(arch) for arch in archs])
    sized = {size: np.stack([elastic.space.encode(arch | {"r": size}) for arch in archs]) for size in (160, 224)}
    assert elastic.macs(sized[160]).tolist() == fixed.macs(plain).tolist()
    assert elastic.macs(sized[224]).tolist() == [case["macs"] for case in golden.cases]
    for rows in sized.values():
        assert elastic.params(rows).tolist() == [case["params"] for case in golden.cases]
    assert elastic.subnet(archs[0] | {"r": 160}).resolution == (160, 160)
    assert elastic.example_inputs(2)[0].shape == (2, 3, 224, 224)
    assert elastic.elastic.state_dict().keys() == golden.supernet.elastic.state_dict().keys()


def test_logits_after_recalibration_are_those_of_the_original(golden: Golden) -> None:
    sizes = ((100, 4), (101, 2))  # seed and number of images of each batch
    batches = [np.random.RandomState(seed).standard_normal((n, 3, 224, 224)).astype(np.float32) for seed, n in sizes]
    cases = [case for case in golden.cases if "bn_recalibrated_logits16" in case]
    if golden.supernet.shape.width != 1.2:
        assert cases
    for case in cases:
        subnet = golden.supernet.subnet(case["arch"])
        recalibrate(subnet, [torch.from_numpy(batch) for batch in batches])
        with torch.inference_mode():
            logits = subnet(golden.images).numpy()[:, :16]
        wanted = np.array(case["bn_recalibrated_logits16"])
        assert np.abs(logits - wanted).max() <= 1e-4 * max(1, np.abs(wanted).max()), case["id"]


def test_macs_and_parameters_are_exact(golden: Golden) -> None:
    supernet = golden.supernet
    genotypes = np.stack([supernet.space.encode(case["arch"]) for case in golden.cases])
    assert supernet.macs(genotypes).tolist() == [case["macs"] for case in golden.cases]
    assert supernet.params(genotypes).tolist() == [case["params"] for case in golden.cases]


def test_aliases_are_the_same_sub_network_and_nothing_else_is(golden: Golden) -> None:
    space: SearchSpace = golden.supernet.space
    keys = {case["id"]: space.key(space.encode(case["arch"])) for case in golden.cases}
    aliases = {case["id"]: case["alias_of"] for case in golden.cases if case["alias_of"]}
    assert len(aliases) == 4
    for alias, original in aliases.items():
        assert keys[alias] == keys[original]
    originals = [key for case, key in keys.items() if case not in aliases]
    assert len(originals) == len(set(originals))


def test_the_active_blocks_are_those_of_the_original(golden: Golden) -> None:
    space: SearchSpace = golden.supernet.space
    blocks = space.variables[0].length
    for case in golden.cases:
        active = space.active(space.encode(case["arch"])[None])[0]
        assert np.flatnonzero(active[:blocks]).tolist() == case["active_blocks"]
        assert np.flatnonzero(active[blocks : 2 * blocks]).tolist() == case["active_blocks"]
