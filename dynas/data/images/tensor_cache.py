"""Decoded pixels, kept in memory or in a file that the next run finds again."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from dynas.data.images.transform import Pixels
from dynas.errors import DynasError

Shape = tuple[int, int, int, int]  # images, height, width, 3


def in_memory(shape: Shape, decode: Callable[[], Iterable[Pixels]]) -> Pixels:
    """Return the images that ``decode`` yields as one array of ``shape``.

    Raises:
        DynasError: there is not enough memory.
    """
    try:
        pixels = np.empty(shape, dtype=np.uint8)
    except MemoryError as error:
        raise DynasError(f"no memory for {np.prod(shape) / 1e9:.1f} GB of pixels: leave out data.cache=ram") from error
    for index, image in enumerate(decode()):
        pixels[index] = image
    return pixels


def in_file(path: Path, shape: Shape, decode: Callable[[], Iterable[Pixels]]) -> Pixels:
    """Return the images of a cache file, mapped into memory; it is written first where it is missing or broken.

    The file gets its name when it is complete, so that an interrupted run leaves none that could be taken for whole.
    Of several processes one writes and the others wait.

    Args:
        path: the file, an .npy array; its name must tell everything that its content depends on.
        shape: of the array.
        decode: makes the images, each ``(height, width, 3)``; called only where the file must be written.

    Raises:
        DynasError: the file cannot be written.
    """
    found = mapped(path, shape)
    if found is not None:
        return found
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".partial").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            found = mapped(path, shape)  # by whoever held the lock
            if found is None:
                write(file.fileno(), shape, decode())
                os.replace(file.name, path)
    except OSError as error:
        raise DynasError(
            f"cannot keep {np.prod(shape) / 1e9:.1f} GB of decoded images in '{path.parent}': "
            f"{error.strerror or error}; give another folder by data.cache=<folder>, or data.cache=ram"
        ) from error
    pixels = found if found is not None else mapped(path, shape)
    assert pixels is not None
    return pixels


def mapped(path: Path, shape: Shape) -> Pixels | None:
    """Return a cache file mapped into memory, or None where there is none of this shape and whole."""
    try:
        pixels: Pixels = np.load(path, mmap_mode="r")
    except Exception:  # numpy raises a different type for every way in which a header can be broken
        return None
    return pixels if pixels.dtype == np.uint8 and pixels.shape == shape else None


def write(descriptor: int, shape: Shape, images: Iterable[Pixels]) -> None:
    """Write an .npy array image by image: no more than a few of them are in memory."""
    os.ftruncate(descriptor, 0)  # what an interrupted run has left
    with os.fdopen(os.dup(descriptor), "wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}
        )
        for image in images:
            file.write(np.ascontiguousarray(image).data)
        file.flush()
        os.fsync(file.fileno())
