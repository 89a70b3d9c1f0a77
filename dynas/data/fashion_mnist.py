"""Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747), one garment an image or several side by side.

One garment is an easy task: small and large networks end within a few points. ``garments=2`` joins two
real images and asks for both classes at once (100 of them), which spreads sub-networks over a wide range.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from dynas.core.data import ClassificationData
from dynas.data.images.idx import read_idx
from dynas.data.images.resize import resize
from dynas.errors import DynasError

EMBEDDED = Path(__file__).parent / "embedded" / "fashion_mnist"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
FILES = {"train": "train", "validation": "t10k"}
MEAN, STD = 0.2860, 0.3530  # of the 60,000 training images, pixels in [0, 1]
PIXELS = 28
VALIDATION_BATCH, CALIBRATION_BATCH = 250, 500  # the former only decides speed and memory
JITTER = 2  # pixels that a training image is shifted by at most


@dataclass(frozen=True)
class Split:
    """Single garments: ``images`` (N, 28, 28) uint8 and ``labels`` (N,)."""

    images: Tensor
    labels: Tensor
    digest: str

    def __len__(self) -> int:
        return len(self.labels)


def source_folder(source: str) -> Path:
    """Return the folder that ``embedded``, ``debian`` or a path stands for.

    Raises:
        DynasError: there is no such folder.
    """
    folder = {"embedded": EMBEDDED, "debian": DEBIAN}.get(source, Path(source).expanduser())
    if not folder.is_dir():
        hint = "install the Debian package dataset-fashion-mnist, or " if source == "debian" else ""
        raise DynasError(
            f"no Fashion-MNIST folder '{folder}': {hint}"
            "give data.source=embedded or a folder with train-images-idx3-ubyte.gz and its companions"
        )
    return folder


def read_split(folder: Path, split: str) -> Split:
    """Read images and labels of ``train`` or ``validation`` from a folder of IDX files."""
    paths = [folder / f"{FILES[split]}-{part}-ubyte.gz" for part in ("images-idx3", "labels-idx1")]
    images, labels = (read_idx(path) for path in paths)
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels) or images.shape[1:] != (PIXELS, PIXELS):
        raise DynasError(f"'{paths[0]}' and '{paths[1].name}' do not hold as many labels as 28x28 images")
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    return Split(torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64)), digest)


def join(split: Split, columns: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Put garments side by side.

    Args:
        split: the single garments.
        columns: ``(n, garments)`` indices into the split.

    Returns:
        images ``(n, 1, 28, 28 * garments)`` as floats in [0, 1] and labels ``(n,)``: the classes read as the
        digits of a decimal number.
    """
    index = torch.from_numpy(columns)
    images = split.images[index].permute(0, 2, 1, 3).flatten(2).unsqueeze(1).float().div_(255)
    labels = torch.zeros(len(columns), dtype=torch.int64)
    for column in split.labels[index].T:
        labels = 10 * labels + column
    return images, labels


def normalise(images: Tensor) -> Tensor:
    """Shift and scale pixels in [0, 1] to the mean 0 and deviation 1 of the training images."""
    return (images - MEAN) / STD


def jitter(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Shift every image ``(n, 1, H, W)`` by up to two pixels each way, for training."""
    n, _, height, width = images.shape
    padded = F.pad(images, [JITTER] * 4)
    top, left = (torch.from_numpy(rng.integers(0, 2 * JITTER + 1, size=(n, 1, 1))) for _ in range(2))
    rows = top + torch.arange(height)[None, :, None]
    columns = left + torch.arange(width)[None, None, :]
    return padded[torch.arange(n)[:, None, None], 0, rows, columns].unsqueeze(1)


class FashionMNIST(ClassificationData):
    """Training, validation and calibration images of one task.

    Args:
        source: ``embedded`` (the package's subset), ``debian`` (the full set of the Debian package
            dataset-fashion-mnist) or a folder with the four gzipped IDX files.
        garments: images side by side, each of ten classes: ``10 ** garments`` classes.
        validation_size: number of validation samples.
        calibration_size: number of training samples on which batch norm is re-calibrated.
        seed: seed of the fixed validation and calibration samples.

    Attributes:
        validation: images ``(validation_size, 1, 28, 28 * garments)`` and labels ``(validation_size,)``.
        calibration: training images ``(calibration_size, 1, 28, 28 * garments)``.

    Raises:
        DynasError: the folder or its files are missing or broken, or hold too few images.
    """

    concurrent = True
    normalisation = MappingProxyType({"pixels": "from 0 to 1", "mean": [MEAN], "std": [STD]})

    def __init__(self, source: str, garments: int, validation_size: int, calibration_size: int, seed: int = 0) -> None:
        if garments < 1:
            raise DynasError(f"data.garments={garments}: give 1 or more")
        folder = source_folder(source)
        self.train = read_split(folder, "train")
        validation = read_split(folder, "validation")
        self.garments = garments
        self.classes: int = 10**garments
        self.digest = hashlib.sha256((self.train.digest + validation.digest).encode()).hexdigest()
        for what, size, split in (
            ("validation", validation_size, validation),
            ("calibration", calibration_size, self.train),
        ):
            if not 1 <= size <= len(split):
                raise DynasError(f"data.{what}_size={size} must be between 1 and the {len(split)} images of '{folder}'")
        self.validation = self._fixed(validation, validation_size, seed)
        self.calibration = self._fixed(self.train, calibration_size, seed)[0]
        self.resolution = PIXELS, PIXELS * garments
        self._original, self._sizes = self, {self.resolution: self}

    def _fixed(self, split: Split, size: int, seed: int) -> tuple[Tensor, Tensor]:
        """Return ``size`` samples in which no garment stands twice in the same place."""
        rng = np.random.default_rng(seed)
        columns = np.stack([rng.permutation(len(split))[:size] for _ in range(self.garments)], axis=1)
        images, labels = join(split, columns)
        return images.sub_(MEAN).div_(STD), labels  # as `normalise`, without a copy of the largest tensor

    def at(self, resolution: tuple[int, int]) -> FashionMNIST:
        """Return the same samples with images of another height and width, kept for the next time."""
        if resolution not in self._sizes:
            images, labels = self._original.validation
            sized = copy(self._original)
            sized.resolution = resolution
            sized.validation = resize(images, resolution), labels
            sized.calibration = resize(self._original.calibration, resolution)
            self._sizes[resolution] = sized
        return self._sizes[resolution]

    def validation_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the validation images and labels."""
        images, labels = (torch.split(part, VALIDATION_BATCH) for part in self.validation)
        return zip(images, labels, strict=True)

    def calibration_batches(self) -> Iterator[Tensor]:
        """Yield the calibration images."""
        return iter(torch.split(self.calibration, CALIBRATION_BATCH))

    def __len__(self) -> int:
        """Return the number of training images; an epoch shows each of them once in every place."""
        return len(self.train)

    def training_steps(self, batch_size: int) -> int:
        """Return the number of full batches of an epoch."""
        return len(self) // batch_size

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch of freshly joined and jittered samples: images and labels."""
        columns = np.stack([rng.permutation(len(self.train)) for _ in range(self.garments)], axis=1)
        for start in range(0, len(columns) - batch_size + 1, batch_size):
            images, labels = join(self.train, columns[start : start + batch_size])
            yield resize(normalise(jitter(images, rng)), self.resolution), labels
