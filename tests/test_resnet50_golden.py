"""Our ResNet50 against outputs of the original Once-for-All code on the same weights (see the reference folder)."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynas.supernets.resnet50 import ResNet50Supernet
from tests import golden as checks
from tests.golden import Golden, load_golden
from tests.test_mbv3_golden import (  # noqa: F401  (the same promises, collected here too)
    test_aliases_are_the_same_sub_network_and_nothing_else_is,
    test_extracted_networks_have_the_original_keys_and_shapes,
    test_logits_after_recalibration_are_those_of_the_original,
    test_logits_are_those_of_the_original,
    test_logits_at_another_resolution_are_those_of_the_original,
    test_macs_and_parameters_are_exact,
    test_the_state_dict_is_that_of_the_public_checkpoint,
)


@pytest.fixture(scope="module")
def golden(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """The golden file."""

    def make(weights: str) -> ResNet50Supernet:
        return ResNet50Supernet(weights, 1.0, (224, 224), 3, 1000, 2, (1, 2, 2, 2), 8)

    return load_golden(reference, "ofa_resnet50_public", make, tmp_path_factory.mktemp("golden"))


def test_the_active_blocks_are_those_of_the_original(golden: Golden) -> None:
    checks.check_active_blocks(golden, "e")
