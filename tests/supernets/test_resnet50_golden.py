"""Our ResNet50 against outputs of the original Once-for-All code on the same weights (see the reference folder)."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynas.supernets.resnet50 import ResNet50Supernet
from tests.helpers import golden as checks
from tests.helpers.golden import Golden, load_golden

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def golden(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """The golden file."""

    def make(weights: str) -> ResNet50Supernet:
        return ResNet50Supernet(weights, 1.0, (224, 224), 3, 1000, 2, (1, 2, 2, 2), 8)

    return load_golden(reference, "ofa_resnet50_public", make, tmp_path_factory.mktemp("golden"))


def test_the_active_blocks_are_those_of_the_original(golden: Golden) -> None:
    checks.check_active_blocks(golden, "e")
