"""Our ProxylessNAS against outputs of the original Once-for-All code on the same weights (see the reference folder)."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynas import DynasError
from dynas.supernets.proxyless import ProxylessSupernet
from tests.helpers.golden import Golden, load_golden

pytestmark = pytest.mark.slow


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
