"""Our MobileNetV3 against outputs of the original Once-for-All code on the same weights (see the reference folder)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dynas.supernets.mbv3 import MobileNetV3Supernet
from tests.helpers import golden as checks
from tests.helpers.golden import Golden, load_golden

pytestmark = pytest.mark.slow

FILES = {"ofa_mbv3_public": 1.0, "ofa_mbv3_w12_public": 1.2}


@pytest.fixture(scope="module", params=FILES)
def golden(request: pytest.FixtureRequest, reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """The golden file of each width."""

    def make(weights: str) -> MobileNetV3Supernet:
        return MobileNetV3Supernet(weights, FILES[request.param], (224, 224), 3, 1000, 2, (2, 2, 2, 1, 2))

    return load_golden(reference, request.param, make, tmp_path_factory.mktemp("golden"))


def test_the_state_dict_is_that_of_the_public_checkpoint(golden: Golden) -> None:
    checks.check_state_dict(golden)


def test_extracted_networks_have_the_original_keys_and_shapes(golden: Golden) -> None:
    checks.check_extracted_keys(golden)


def test_logits_are_those_of_the_original(golden: Golden) -> None:
    checks.check_logits(golden)


def test_logits_at_another_resolution_are_those_of_the_original(golden: Golden) -> None:
    checks.check_logits_at_160_pixels(golden)


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
    checks.check_logits_after_recalibration(golden)


def test_macs_and_parameters_are_exact(golden: Golden) -> None:
    checks.check_costs(golden)


def test_aliases_are_the_same_sub_network_and_nothing_else_is(golden: Golden) -> None:
    checks.check_aliases(golden)


@pytest.mark.parametrize("variable", ["ks", "e"])
def test_the_active_blocks_are_those_of_the_original(golden: Golden, variable: str) -> None:
    checks.check_active_blocks(golden, variable)
