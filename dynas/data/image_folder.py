"""Anybody's images with labels: folders of classes, or tables of paths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dynas.data.images.folder import ImageList, class_names, list_classes
from dynas.data.images.photographs import USUAL, Photographs, check_settings, check_share, stratified_rows
from dynas.data.text.labelled_files import cell, read_rows
from dynas.errors import DynasError

TRAIN, HELD_OUT = "train", ("val", "valid", "validation", "test")  # names of sub-folders
IMAGES = ("path", "file", "filename", "image")  # columns that are looked for
LABELS = ("label", "class", "target")


class ImageFolder(Photographs):
    """Validation, calibration and training images of one size.

    Args:
        path: a folder with a sub-folder per class, or with ``train`` and one of `HELD_OUT` that have these; or a table,
            CSV, TSV or JSON lines, with paths relative to it.
        resolution: height and width of the images; None: those of `USUAL`.
        validation: folder or table of the validation images; None: those within ``path``, or a share of all.
        validation_share: share of each class that is held out where there are no validation images.
        image, label: columns of a table; None: the first of `IMAGES` and of `LABELS` that is there.
        classes: labels in the order of the network's outputs; None: by name, or by number where all are whole numbers.
        calibration_size, calibration_batch, cache, workers: see `dynas.data.images.photographs.Photographs`.
        seed: of what is held out, of the calibration images and of their random crops.

    Raises:
        DynasError: files or labels are missing, or a setting makes no sense.
    """

    cached_as = "image_folder"

    def __init__(
        self,
        path: str,
        resolution: Sequence[int] | None,
        validation: str | None = None,
        validation_share: float = 0.2,
        image: str | None = None,
        label: str | None = None,
        classes: Sequence[str] | None = None,
        calibration_size: int = 500,
        calibration_batch: int = 100,
        cache: str | None = None,
        workers: int | None = None,
        seed: int = 0,
    ) -> None:
        resolution = USUAL if resolution is None else resolution
        check_settings(resolution, 1.0, calibration_size, calibration_batch, workers)
        check_share(validation_share)
        root = Path(path).expanduser().absolute()
        within = [root / name for name in HELD_OUT if (root / name).is_dir()]
        split = (root / TRAIN).is_dir()
        train = listed(root / TRAIN if split else root, image, label, classes)
        rng = np.random.default_rng(seed)
        if validation is not None:
            held_out = listed(Path(validation).expanduser().absolute(), image, label, train.classes)
        elif split and within:
            held_out = listed(within[0], image, label, train.classes)
        else:
            rows = stratified_rows(train.labels, validation_share, rng)
            held_out, train = train.choose(rows), train.choose(np.setdiff1d(np.arange(len(train)), rows))
            if not len(train):
                raise DynasError(f"'{root}' has too few images to hold some of them out: give data.validation")
        super().__init__(train, held_out, resolution, calibration_size, calibration_batch, cache, workers, seed, rng)


def listed(path: Path, image: str | None, label: str | None, classes: Sequence[str] | None) -> ImageList:
    """Return the images of a folder or a table.

    Raises:
        DynasError: there are none, or a label is none of the classes.
    """
    if not path.exists():
        raise DynasError(f"no folder or table of images '{path}': give data.path=<one of them>")
    if not path.is_dir():
        return from_table(path, image, label, classes)
    found = class_names(path)
    if not found:
        raise DynasError(f"'{path}' has no sub-folders: images of each class are looked for in a folder of its own")
    return list_classes(path, ordered(found) if classes is None else classes)


def from_table(path: Path, image: str | None, label: str | None, classes: Sequence[str] | None) -> ImageList:
    """Return the images that a table names, in its order."""
    names: list[str] = []
    labels: list[str] = []
    for line, row in read_rows(path, "images"):
        name, word = (
            cell(row[column(path, list(row), setting, given, known)])
            for setting, given, known in (("image", image, IMAGES), ("label", label, LABELS))
        )
        if not name or not word:
            raise DynasError(f"'{path}' line {line} has no {'path' if not name else 'label'}")
        if not (path.parent / name).is_file():
            raise DynasError(f"'{path}' line {line} names '{name}', but there is no such file")
        names.append(name)
        labels.append(word)
    if not names:
        raise DynasError(f"'{path}' holds no images")
    known = ordered(set(labels)) if classes is None else list(map(str, classes))
    if unknown := sorted(set(labels) - set(known)):
        raise DynasError(f"'{path}' has the label '{unknown[0]}', which is none of {', '.join(known)}")
    places = {name: place for place, name in enumerate(known)}
    return ImageList(path.parent, names, np.array([places[word] for word in labels], dtype=np.int64), known)


def column(path: Path, there: Sequence[str], setting: str, given: str | None, known: Sequence[str]) -> str:
    """Return the name of a column that is there."""
    names = [given] if given else known
    found = next((name for name in names if name in there), None)
    if found is None:
        raise DynasError(
            f"'{path}' has no column {' or '.join(names)}: give data.{setting}=<one of {', '.join(map(str, there))}>"
        )
    return found


def ordered(labels: Sequence[str] | set[str]) -> list[str]:
    """Return labels by name, or by number where all are whole numbers."""
    return sorted(labels, key=int) if all(label.isdecimal() for label in labels) else sorted(labels)
