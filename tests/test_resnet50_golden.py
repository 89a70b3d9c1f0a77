"""Our ResNet50 against outputs of the original Once-for-All code on the same weights (see the reference folder)."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynas.supernets.resnet50 import ResNet50Supernet
from tests import golden as checks
from tests.golden import Golden, load_golden


@pytest.fixture(scope="module")
def golden(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """The golden file."""

    def make(weights: str) -> ResNet50Supernet:
        return ResNet50Supernet(weights, 1.0, (224, 224), 3, 1000, 2, (1, 2, 2, 2), 8)

    return load_golden(reference, "ofa_resnet50_public", make, tmp_path_factory.mktemp("golden"))


def test_the_state_dict_is_that_of_the_public_checkpoint(golden: Golden) -> None:
    checks.check_state_dict(golden)


def test_extracted_networks_have_the_original_keys_and_shapes(golden: Golden) -> None:
    checks.check_extracted_keys(golden)


def test_logits_are_those_of_the_original(golden: Golden) -> None:
    checks.check_logits(golden)


def test_logits_at_another_resolution_are_those_of_the_original(golden: Golden) -> None:
    checks.check_logits_at_160_pixels(golden)


def test_logits_after_recalibration_are_those_of_the_original(golden: Golden) -> None:
    checks.check_logits_after_recalibration(golden)


def test_macs_and_parameters_are_exact(golden: Golden) -> None:
    checks.check_costs(golden)


def test_aliases_are_the_same_sub_network_and_nothing_else_is(golden: Golden) -> None:
    checks.check_aliases(golden)


def test_the_active_blocks_are_those_of_the_original(golden: Golden) -> None:
    checks.check_active_blocks(golden, "e")
