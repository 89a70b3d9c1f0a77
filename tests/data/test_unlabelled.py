"""Images without classes: what is held out, and what needs labels is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynas import DynasError
from dynas.core.bench import Bench
from dynas.core.data import IGNORED
from dynas.data.unlabelled import UnlabelledImages
from dynas.metrics.accuracy import Top1
from tests.helpers.networks import pruned
from tests.helpers.photos import write_imagenet

SETTINGS: dict[str, Any] = {"resolution": (8, 8), "calibration_size": 6, "cache": "ram", "workers": 1}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train`` with 32 and ``val`` with 20 images."""
    return write_imagenet(tmp_path_factory.mktemp("photos"))


def test_a_share_is_held_out_and_nothing_has_a_label(root: Path) -> None:
    data = UnlabelledImages(str(root / "train"), validation_share=0.25, **SETTINGS)
    assert (len(data), len(data._validation), data.classes, data.labelled) == (24, 8, None, False)
    assert not set(data.train.names) & set(data._validation.names)
    batches = [*data.validation_batches(), *data.training_batches(8, np.random.default_rng(0))]
    assert {int(label) for _, labels in batches for label in labels} == {IGNORED}


def test_images_to_judge_by_come_from_elsewhere(root: Path) -> None:
    data = UnlabelledImages(str(root / "train"), validation=str(root / "val"), **SETTINGS)
    assert (len(data), len(data._validation)) == (32, 20)


@pytest.mark.parametrize(
    ("path", "settings", "said"),
    [
        ("none", {}, "no folder of images"),
        ("empty", {}, "holds no images: their names end with .jpeg"),
        ("one", {}, "too few images to hold some of them out"),
        ("one", {"validation_share": 0.0}, "data.validation_share=0.0"),
    ],
)
def test_what_cannot_be_used_is_refused(
    path: str, settings: dict[str, Any], said: str, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one").mkdir()
    shutil.copy(next((root / "val").rglob("*.JPEG")), tmp_path / "one")
    with pytest.raises(DynasError, match=said):
        UnlabelledImages(str(tmp_path / path), **(SETTINGS | settings))


def test_top1_is_refused_and_says_what_to_use(root: Path) -> None:
    data = UnlabelledImages(str(root / "train"), **SETTINGS)
    with pytest.raises(DynasError, match=r"top1 needs labels.*agreement"):
        Top1().check(Bench(pruned("residual"), data, None))  # type: ignore[arg-type]
