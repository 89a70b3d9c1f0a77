"""Lists of image files with labels, and the layout with one folder per class."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.errors import DynasError, DynasWarning

SUFFIXES = (".jpeg", ".jpg", ".png", ".bmp", ".gif", ".pgm", ".ppm", ".tif", ".tiff", ".webp")
SYSTEM = {"__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found", "Thumbs.db", "desktop.ini"}  # nobody's own


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
        # names that are no UTF-8 go in as the bytes that they are on disk
        content = hashlib.sha256(os.fsencode("\n".join([*self.classes, *self.names])))
        content.update(self.stats[:, 0].tobytes() + self.labels.tobytes())
        return content.hexdigest()


def image_names(folder: Path) -> list[str]:
    """Return the sorted paths of the images in a folder and its sub-folders, relative to it; warn of other files."""
    names, others = sorted_out(folder)
    warn_of(folder, others)
    return names


def sorted_out(folder: Path) -> tuple[list[str], list[str]]:
    """Return the sorted paths of the images in a folder and its sub-folders with forward slashes, and of the rest."""
    files = sorted(file_names(folder, "", ()))
    return [name for name in files if is_image(name)], [name for name in files if not is_image(name)]


def is_image(name: str) -> bool:
    """Return whether a file's name ends as an image's."""
    return name.lower().endswith(SUFFIXES)


def warn_of(folder: Path, others: Sequence[str]) -> None:
    """Name what was left out of a folder, where there is something."""
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        text = f"left out of '{folder}': '{others[0]}'{more}; images that are read end with {', '.join(SUFFIXES)}"
        warnings.warn(text, DynasWarning, stacklevel=2)


def file_names(folder: Path, below: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Yield the paths of all files ``below`` a folder, which are ``above`` no folder that is a link to one of them."""
    here = os.stat(folder / below)
    if (here.st_dev, here.st_ino) in above:
        return
    for entry in entries(folder / below):
        if entry.is_dir():
            yield from file_names(folder, f"{below}{entry.name}/", (*above, (here.st_dev, here.st_ino)))
        else:
            yield f"{below}{entry.name}"


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what a folder holds, without hidden files and what file systems put there."""
    with os.scandir(folder) as found:
        return [entry for entry in found if not entry.name.startswith(".") and entry.name not in SYSTEM]


def class_names(folder: Path) -> list[str]:
    """Return the sorted names of the sub-folders: the classes, in the order of their indices."""
    return sorted(entry.name for entry in entries(folder) if entry.is_dir())


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
    left_out: list[str] = []
    counts = []
    for name in classes:
        images, others = sorted_out(folder / name)
        left_out += [f"{name}/{other}" for other in others]
        if not images:
            raise DynasError(f"the class folder '{folder / name}' holds no image ({', '.join(SUFFIXES)})")
        names += [f"{name}/{image}" for image in images]
        counts.append(len(images))
    warn_of(folder, left_out)
    return ImageList(folder, names, np.repeat(np.arange(len(classes)), counts), classes)
