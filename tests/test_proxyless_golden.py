"""Our ProxylessNAS against outputs of the original Once-for-All code on the same weights (see the reference folder)."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynas import DynasError
from dynas.supernets.proxyless import ProxylessSupernet
from tests.golden import Golden, load_golden
from tests.test_mbv3_golden import (  # noqa: F401  (the same promises, collected here too)
    test_aliases_are_the_same_sub_network_and_nothing_else_is,
    test_extracted_networks_have_the_original_keys_and_shapes,
    test_logits_after_recalibration_are_those_of_the_original,
    test_logits_are_those_of_the_original,
    test_logits_at_another_resolution_are_those_of_the_original,
    test_macs_and_parameters_are_exact,
    test_macs_at_another_resolution_are_those_of_a_supernet_made_for_it,
    test_the_active_blocks_are_those_of_the_original,
    test_the_state_dict_is_that_of_the_public_checkpoint,
)


@pytest.fixture(scope="module")
def golden(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """The golden file of the public checkpoint, and the supernet loaded from the weights that it prescribes."""

    def make(weights: str) -> ProxylessSupernet:
        return ProxylessSupernet(weights, 1.3, (224, 224), 3, 1000, 2, (2, 2, 2, 1, 2, 1))

    return load_golden(reference, "ofa_proxyless_public", make, tmp_path_factory.mktemp("golden"))


def test_the_last_stage_always_has_one_block(golden: Golden) -> None:
    space = golden.supernet.space
    arch = golden.cases[0]["arch"]
    assert space.decode(space.encode(arch)) == arch
    assert space.size == 9 * 7371**5
    for depths, message in (([2] * 5, "needs 6 values"), ([2] * 5 + [2], r"'d' ends with \[1\]")):
        with pytest.raises(DynasError, match=message):
            space.encode(arch | {"d": depths})
