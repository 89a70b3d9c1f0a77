"""Data: the handwritten digits that scikit-learn ships, 1,797 images of 8x8 pixels.

`dynas.core.data` says what data promise. Alpaydin and Kaynak 1998, https://doi.org/10.24432/C50P49.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn.functional import interpolate

from dynas.core.data import ClassificationData
from dynas.errors import DynasError


class Mine(ClassificationData):
    """Images of digits with their labels.

    Args:
        resolution: height and width of the images in pixels.
        validation_size: images that accuracy is measured on; as the split is fixed, a smaller one is a part of it.
        batch_size: images that are measured at once.
    """

    classes = 10

    def __init__(self, resolution: Sequence[int], validation_size: int, batch_size: int = 256) -> None:
        found = load_digits()
        held_out = len(found.target) // 3
        if not 1 <= validation_size <= held_out:
            raise DynasError(f"data.validation_size={validation_size}: give 1 to {held_out}")
        order = np.random.default_rng(0).permutation(len(found.target))  # one split for all settings and seeds
        images = torch.tensor(found.images[order], dtype=torch.float32)[:, None] / 8 - 1  # of 0..16 to -1..1
        self.images = interpolate(images, tuple(resolution), mode="bilinear")
        self.labels = torch.tensor(found.target[order])
        self.held_out, self.validation_size, self.batch_size = held_out, validation_size, batch_size
        told = repr((tuple(resolution), validation_size)).encode()
        self.digest = hashlib.sha256(told + found.images.tobytes() + found.target.tobytes()).hexdigest()

    def validation_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield what accuracy is measured on, the same images every time."""
        for start in range(0, self.validation_size, self.batch_size):
            rows = slice(start, min(start + self.batch_size, self.validation_size))
            yield self.images[rows], self.labels[rows]

    def calibration_batches(self) -> Iterator[Tensor]:
        """Yield training images for the statistics of batch norm."""
        yield self.images[self.held_out : self.held_out + self.batch_size]

    def training_steps(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""
        return (len(self.labels) - self.held_out) // batch_size

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch in full batches."""
        order = torch.from_numpy(self.held_out + rng.permutation(len(self.labels) - self.held_out))
        for step in range(self.training_steps(batch_size)):
            rows = order[step * batch_size : (step + 1) * batch_size]
            yield self.images[rows], self.labels[rows]
