"""Anybody's own Dataset of torch as data: what it gives, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, IterableDataset

from dynas import DynasError, TorchDataset
from tests.helpers.photos import numbered


class Listed(Dataset[Any]):
    """Items of a list."""

    def __init__(self, *items: Any) -> None:
        self.items = items

    def __getitem__(self, row: int) -> Any:
        return self.items[row]

    def __len__(self) -> int:
        return len(self.items)


class Endless(IterableDataset[Any]):
    """Has no length."""

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def numbers(batches: Any) -> list[int]:
    return [int(image[0, 0, 0]) for images in batches for image in (images[0] if isinstance(images, tuple) else images)]


def test_a_share_is_held_out_and_never_trained_on() -> None:
    data = TorchDataset(numbered(), validation_share=0.25, calibration_size=8, calibration_batch=3)
    held_out = numbers(data.validation_batches())
    trained = numbers(data.training_batches(5, np.random.default_rng(0)))
    assert (len(held_out), len(trained), len(data), data.training_steps(7)) == (10, 30, 30, 4)
    assert not set(held_out) & set(trained)
    assert set(numbers(data.calibration_batches())) <= set(trained)
    assert [len(batch) for batch in data.calibration_batches()] == [3, 3, 2]
    assert data.classes == 4
    for images, labels in (*data.validation_batches(), *data.training_batches(5, np.random.default_rng(1))):
        assert labels.tolist() == [int(image[0, 0, 0]) % 4 for image in images]


def test_validation_images_are_all_taken_where_they_are_given() -> None:
    data = TorchDataset(numbered(), numbered(6))
    assert numbers(data.validation_batches()) == list(range(6))
    assert len(data) == 40


def test_classes_are_those_that_the_dataset_lists_or_that_are_given() -> None:
    listing = numbered()
    listing.classes = ["a", "b", "c", "d", "e"]  # type: ignore[attr-defined]
    assert TorchDataset(listing).classes == 5
    assert TorchDataset(listing, classes=7).classes == 7


def test_the_digest_follows_images_and_labels() -> None:
    same, other, fewer = TorchDataset(numbered()), TorchDataset(numbered(), seed=1), TorchDataset(numbered(), classes=4)
    assert same.digest == TorchDataset(numbered()).digest == fewer.digest
    assert same.digest != other.digest
    assert same.digest != TorchDataset(numbered(classes=3)).digest


def test_a_name_stands_for_a_dataset_or_what_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_photos.py").write_text(
        "from tests.helpers.photos import numbered as photos\n"
        "held_out = photos(5)\n"
        "def broken(): raise ValueError('no disk')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert len(numbers(TorchDataset("own_photos:photos", "own_photos:held_out").validation_batches())) == 5
    for name, said in (
        ("own_photos", "data.train=own_photos: give <module>:<function>"),
        ("own_photos:nothing", "own_photos:nothing cannot be used"),
        ("own_photos:broken", "no disk"),
    ):
        with pytest.raises(DynasError, match=said):
            TorchDataset(name)


IMAGE = torch.zeros(1, 4, 4)


@pytest.mark.parametrize(
    ("train", "settings", "said"),
    [
        (Listed(), {}, "data.train holds no images"),
        (Listed((IMAGE, 0)), {}, "data.train has 1 images, too few to hold some out: give data.validation"),
        (Endless(), {}, "with __getitem__ and __len__ is needed"),
        (Listed(*[IMAGE] * 9), {}, r"is a tensor \(1, 4, 4\) of float32: items are \(image, label\)"),
        (Listed(*[(IMAGE, 0, 0)] * 9), {}, r"is a tuple of 3: items are \(image, label\)"),
        (Listed(*[(IMAGE.numpy(), 0)] * 9), {}, "begins with a ndarray: an image is a float tensor"),
        (Listed(*[(IMAGE.byte(), 0)] * 9), {}, "begins with a tensor .* of uint8: an image is a float tensor"),
        (Listed(*[(IMAGE[0], 0)] * 9), {}, r"begins with a tensor \(4, 4\)"),
        (Listed(*[(IMAGE, 0.5)] * 9), {}, "has the label 0.5: labels are whole numbers from 0 on"),
        (Listed(*[(IMAGE, "cat")] * 9), {}, "has the label 'cat'"),
        (Listed(*[(IMAGE, -1)] * 9), {}, "has the label -1"),
        (Listed(*[(IMAGE, torch.zeros(3))] * 9), {}, r"has the label a tensor \(3\)"),
        (Listed(*[(IMAGE, 0)] * 8, (IMAGE[:, :3], 0)), {}, "where others are of 1x"),
        (Listed(*[(IMAGE, 5)] * 9), {"classes": 5}, "the label 5, but there are 5 classes, from 0 to 4"),
        (Listed(*[(IMAGE, 5)] * 9), {"validation_share": 1.5}, "data.validation_share=1.5"),
        (Listed(*[(IMAGE, 5)] * 9), {"calibration_size": 0}, "data.calibration_size=0"),
    ],
)
def test_what_is_no_image_with_a_label_is_refused(train: Dataset[Any], settings: dict[str, Any], said: str) -> None:
    with pytest.raises(DynasError, match=said):
        TorchDataset(train, **settings)


def test_labels_are_looked_at_in_training_too() -> None:
    data = TorchDataset(Listed(*[(IMAGE, row) for row in range(9)]), Listed((IMAGE, 0), (IMAGE, 1)), calibration_size=1)
    with pytest.raises(DynasError, match=r"data.train has the label 8, but there are"):
        list(data.training_batches(9, np.random.default_rng(0)))


def test_an_item_that_cannot_be_read_is_named() -> None:
    class Torn(Listed):
        def __getitem__(self, row: int) -> Any:
            raise OSError("torn")

    with pytest.raises(DynasError, match=r"of data.train cannot be read: .*torn"):
        TorchDataset(Torn(*[(IMAGE, 0)] * 9))
