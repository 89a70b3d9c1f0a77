"""Lists of image files with labels, and the layout with one folder per class."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.errors import DynasError

SUFFIXES = (".jpeg", ".jpg", ".png")


@dataclass(frozen=True)
class ImageList:
    """Labelled image files below one folder.

    Attributes:
        folder: what ``names`` are relative to.
        names: one path per image, with forward slashes.
        labels: ``(n,)`` indices into ``classes``.
        classes: names of the classes.
    """

    folder: Path
    names: Sequence[str]
    labels: NDArray[np.int64]
    classes: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    def path(self, index: int) -> str:
        """Return the path of one image."""
        return os.path.join(self.folder, self.names[index])

    def choose(self, indices: NDArray[np.int64]) -> ImageList:
        """Return the images at ``indices``, in their order."""
        return ImageList(self.folder, [self.names[index] for index in indices], self.labels[indices], self.classes)

    @cached_property
    def stats(self) -> NDArray[np.int64]:
        """Size in bytes and time of the last change in nanoseconds of every file: ``(n, 2)``."""
        stats = [os.stat(self.path(index)) for index in range(len(self))]
        return np.array([[one.st_size, one.st_mtime_ns] for one in stats], dtype=np.int64)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of names, sizes in bytes and labels, wherever the folder lies."""
        content = hashlib.sha256("\n".join([*self.classes, *self.names]).encode())
        content.update(self.stats[:, 0].tobytes() + self.labels.tobytes())
        return content.hexdigest()


def image_names(folder: Path) -> list[str]:
    """Return the sorted names of the images in a folder, without hidden files."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    return sorted(name for name in names if name.lower().endswith(SUFFIXES) and not name.startswith("."))


def class_names(folder: Path) -> list[str]:
    """Return the sorted names of the sub-folders: the classes, in the order of their indices."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def list_classes(folder: Path, classes: Sequence[str]) -> ImageList:
    """Return the images of a folder with one sub-folder per class.

    Raises:
        DynasError: the sub-folders are not exactly ``classes``, or one of them holds no image.
    """
    found = class_names(folder)
    if set(found) != set(classes):
        missing, more = sorted(set(classes) - set(found)), sorted(set(found) - set(classes))
        example = f"'{missing[0]}' is missing" if missing else f"'{more[0]}' is none of them"
        raise DynasError(f"'{folder}' has {len(found)} class folders where {len(classes)} are wanted: {example}")
    names: list[str] = []
    counts = []
    for name in classes:
        images = image_names(folder / name)
        if not images:
            raise DynasError(f"the class folder '{folder / name}' holds no image ({', '.join(SUFFIXES)})")
        names += [f"{name}/{image}" for image in images]
        counts.append(len(images))
    return ImageList(folder, names, np.repeat(np.arange(len(classes)), counts), classes)
