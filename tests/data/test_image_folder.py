"""Anybody's images: folders of classes and tables of paths."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynas import DynasError
from dynas.data.image_folder import ImageFolder
from dynas.data.imagenet import ImageNet
from tests.helpers.photos import CLASSES, write_imagenet

SETTINGS: dict[str, Any] = {"resolution": (8, 8), "calibration_size": 6, "cache": "ram", "workers": 1}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train`` with 8 and ``val`` with 5 images of each of 4 classes."""
    return write_imagenet(tmp_path_factory.mktemp("photos"))


def load(path: Path, **changes: Any) -> ImageFolder:
    return ImageFolder(str(path), **(SETTINGS | changes))


def counts(data: ImageFolder) -> tuple[list[int], list[int]]:
    """Return the images of each class in training and validation."""
    held_out = np.concatenate([labels.numpy() for _, labels in data.validation_batches()])
    return np.bincount(data.train.labels).tolist(), np.bincount(held_out).tolist()


def table(path: Path, root: Path, header: tuple[str, str] = ("path", "label")) -> Path:
    """Write a table of the training images, labelled by the number of their class plus 8."""
    rows = [(f"train/{name}/{file.name}", 8 + place) for place, name in enumerate(CLASSES)
            for file in sorted((root / "train" / name).iterdir())]  # fmt: skip
    if path.suffix == ".jsonl":
        lines = [json.dumps(dict(zip(header, row, strict=True))) for row in rows]
    else:
        sign = "\t" if path.suffix == ".tsv" else ","
        lines = [sign.join(map(str, row)) for row in [header, *rows]]
    path.write_text("\n".join(lines))
    return path


def test_a_folder_with_train_and_val_is_read_as_imagenet_is(root: Path) -> None:
    data, same = load(root), ImageNet(str(root), **SETTINGS)
    assert counts(data) == ([8] * 4, [5] * 4)
    assert data.train.digest == same.train.digest
    for (images, labels), (others, known) in zip(data.validation_batches(), same.validation_batches(), strict=True):
        assert images.equal(others)
        assert labels.equal(known)


def test_a_share_of_each_class_is_held_out(root: Path) -> None:
    data = load(root / "train", validation_share=0.25)
    assert counts(data) == ([6] * 4, [2] * 4)
    assert not set(data.train.names) & set(data._validation.names)
    assert load(root / "train", validation_share=0.25).digest == data.digest
    assert load(root / "train", validation_share=0.25, seed=1).digest != data.digest


@pytest.mark.parametrize("name", ["images.csv", "images.tsv", "images.jsonl"])
@pytest.mark.parametrize("header", [("path", "label"), ("image", "class"), ("where", "what")])
def test_a_table_names_images_and_labels(name: str, header: tuple[str, str], root: Path) -> None:
    columns = {"image": "where", "label": "what"} if header[0] == "where" else {}
    data = load(table(root / name, root, header), validation_share=0.5, **columns)
    assert data.train.classes == ["8", "9", "10", "11"], "by number"
    assert counts(data) == ([4] * 4, [4] * 4)


def test_classes_are_in_the_order_that_is_given(root: Path) -> None:
    path = table(root / "order.csv", root)
    data = load(path, classes=["11", "8", "9", "10", "7"], validation=str(path))
    assert (data.classes, np.bincount(data.train.labels).tolist()) == (5, [8, 8, 8, 8])
    assert data.train.labels[0] == 1


def test_validation_comes_from_elsewhere(root: Path) -> None:
    assert counts(load(root / "train", validation=str(root / "val"))) == ([8] * 4, [5] * 4)


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("path,label\nno.jpg,1", {}, "line 2 names 'no.jpg', but there is no such file"),
        ("path,label\n,1", {}, "line 2 has no path"),
        ("a,label\nx,1", {}, "no column path or file or filename or image: give data.image=<one of a, label>"),
        ("path,b\nx,1", {"label": "c"}, "no column c: give data.label=<one of path, b>"),
        ("path,label", {}, "holds no images"),
        ("path,label\nONE,3", {"classes": ["1", "2"]}, "has the label '3', which is none of 1, 2"),
        ("path,label\nONE,3", {}, "too few images"),
        ("path,label\nONE,3", {"validation_share": 1.0}, "data.validation_share=1.0"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(
    content: str, settings: dict[str, Any], message: str, root: Path, tmp_path: Path
) -> None:
    shutil.copy(next((root / "val" / CLASSES[0]).iterdir()), tmp_path / "one.jpg")
    (tmp_path / "images.csv").write_text(content.replace("ONE", "one.jpg"))
    with pytest.raises(DynasError) as refused:
        load(tmp_path / "images.csv", **settings)
    assert message in str(refused.value)


def test_what_is_no_folder_of_classes_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DynasError, match="has no sub-folders"):
        load(tmp_path)
    with pytest.raises(DynasError, match=r"images are read from \.csv"):
        load(next((root / "val" / CLASSES[0]).iterdir()))
    with pytest.raises(DynasError, match="no folder or table of images"):
        load(tmp_path / "none.csv")
