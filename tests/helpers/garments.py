"""A part of the embedded Fashion-MNIST, to train on for a moment."""

from __future__ import annotations

from pathlib import Path

from dynas.data.fashion_mnist import EMBEDDED
from dynas.data.images.idx import read_idx, write_idx


def write_garments(folder: Path, train: int, validation: int) -> Path:
    """Write the first images of both splits as a folder for ``data.source``."""
    folder.mkdir()
    for split, size in (("train", train), ("t10k", validation)):
        for part in ("images-idx3", "labels-idx1"):
            name = f"{split}-{part}-ubyte.gz"
            write_idx(folder / name, read_idx(EMBEDDED / name)[:size])
    return folder
