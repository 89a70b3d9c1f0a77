"""Photographs in files: decoded once and kept as bytes, normalised batch by batch."""

from __future__ import annotations

import copy
import hashlib
import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import __version__ as pillow
from rich.console import Console
from rich.progress import track
from torch import Tensor

from dynas.core.data import ClassificationData
from dynas.data.images.folder import ImageList
from dynas.data.images.parallel import in_order
from dynas.data.images.tensor_cache import in_file, in_memory
from dynas.data.images.transform import Pixels, augmented, centre, normalise, read_rgb
from dynas.errors import DynasError, DynasWarning
from dynas.system.folders import cache_folder

log = logging.getLogger(__name__)

BATCH_PIXELS = 8 * 224 * 224  # of a validation batch: larger ones leave the processor's caches and are slower
USUAL = (224, 224)  # height and width where nobody says anything else
CACHE_VERSION = 2  # to be raised with every change of what is decoded


class Photographs(ClassificationData):
    """Validation, calibration and training images of one size.

    Args:
        train: the training images.
        validation: the images that accuracy is measured on.
        resolution: height and width of the images.
        calibration_size: number of training images on which batch norm is re-calibrated, seen as in training; all of
            them, with a warning, where there are fewer.
        calibration_batch: images whose statistics are taken together. Once-for-All takes 2,000 by 200.
        cache: folder for decoded images, ``ram``, or None for the common cache folder.
        workers: threads that decode; None: one per core.
        seed: seed of the calibration images' random crops.
        rng: chooses the calibration images.

    Attributes:
        resolution: height and width.
        cached_as: folder for decoded images within the common cache folder.
        digest: SHA-256 of names, sizes in bytes and labels of the validation and calibration images. No pixel is
            read for it, which would take minutes: files that were changed in place without changing size go unnoticed.
    """

    cached_as = "imagenet"

    def __init__(
        self,
        train: ImageList,
        validation: ImageList,
        resolution: Sequence[int],
        calibration_size: int,
        calibration_batch: int,
        cache: str | None,
        workers: int | None,
        seed: int,
        rng: np.random.Generator,
    ) -> None:
        if len(train) < calibration_size:
            text = f"batch norm is re-calibrated on the {len(train)} images of '{train.folder}', as there are no"
            warnings.warn(f"{text} data.calibration_size={calibration_size}", DynasWarning, stacklevel=3)
        self.train = train
        self.classes = len(train.classes)
        self.resolution = (int(resolution[0]), int(resolution[1]))
        self._validation = validation
        self._calibration = train.choose(rng.permutation(len(train))[:calibration_size])
        self.digest = hashlib.sha256((self._validation.digest + self._calibration.digest).encode()).hexdigest()
        self._calibration_batch, self._seed = calibration_batch, seed
        self._cache, self._workers = cache, workers or os.cpu_count() or 1
        self._decoded: dict[tuple[str, tuple[int, int]], Pixels] = {}  # shared by all sizes

    def at(self, resolution: tuple[int, int]) -> Self:
        """Return the same images at another height and width."""
        other = copy.copy(self)
        other.resolution = resolution
        return other

    def validation_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all chosen validation images ``(n, 3, H, W)``, normalised and in channels_last, and labels ``(n,)``."""
        pixels = self._pixels("validation", self._validation, self._centre)
        labels = torch.from_numpy(self._validation.labels)
        size = max(1, BATCH_PIXELS // (self.resolution[0] * self.resolution[1]))
        for start in range(0, len(pixels), size):
            yield normalise(pixels[start : start + size]), labels[start : start + size]

    def calibration_batches(self) -> Iterator[Tensor]:
        """Yield the calibration images ``(n, 3, H, W)``, normalised and in channels_last."""
        pixels = self._pixels("calibration", self._calibration, self._augmented)
        for start in range(0, len(pixels), self._calibration_batch):
            yield normalise(pixels[start : start + self._calibration_batch])

    def __len__(self) -> int:
        """Return the number of training images."""
        return len(self.train)

    def training_steps(self, batch_size: int) -> int:
        """Return the number of full batches of an epoch."""
        return len(self) // batch_size

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch of random crops ``(n, 3, H, W)`` and labels ``(n,)``, decoded ahead by the workers."""
        order = rng.permutation(len(self.train))
        views = in_order(
            lambda item: self._view(self.train.path(item[0]), item[1]),
            zip(order, rng.integers(2**63, size=len(order)), strict=True),
            self._workers,
        )
        for start in range(0, len(order) - batch_size + 1, batch_size):
            batch = np.stack([next(views) for _ in range(batch_size)])
            yield normalise(batch), torch.from_numpy(self.train.labels[order[start : start + batch_size]])

    def _view(self, path: str, seed: object) -> Pixels:
        return augmented(read_rgb(path), self.resolution, np.random.default_rng(seed))  # type: ignore[arg-type]

    def _centre(self, index: int) -> Pixels:
        return centre(read_rgb(self._validation.path(index)), self.resolution)

    def _augmented(self, index: int) -> Pixels:
        return self._view(self._calibration.path(index), [self._seed, index])

    def _pixels(self, split: str, images: ImageList, decode: Callable[[int], Pixels]) -> Pixels:
        """Return the decoded images ``(n, H, W, 3)`` of a split, from memory, the cache or their files."""
        key = split, self.resolution
        if key not in self._decoded:
            shape = (len(images), *self.resolution, 3)

            def decode_all() -> Iterable[Pixels]:
                what = f"decoding {len(images):,} {split} images"
                log.info("%s at %s", what, self.resolution)
                console = Console(stderr=True)
                each = in_order(decode, range(len(images)), self._workers)
                return track(each, what, len(images), console=console, transient=True, disable=not console.is_terminal)

            if self._cache == "ram":
                self._decoded[key] = in_memory(shape, decode_all)
            else:
                folder = Path(self._cache).expanduser() if self._cache else cache_folder() / self.cached_as
                self._decoded[key] = in_file(folder / f"{self._cache_key(split, images)}.npy", shape, decode_all)
        return self._decoded[key]

    def _cache_key(self, split: str, images: ImageList) -> str:
        """Return a name for everything that the decoded images depend on, the times of their files included."""
        known = hashlib.sha256(repr((CACHE_VERSION, pillow, str(images.folder), images.digest)).encode())
        known.update(images.stats.tobytes() + repr(self._seed if split == "calibration" else None).encode())
        height, width = self.resolution
        return f"{split}-{height}x{width}-{known.hexdigest()[:24]}"


def check_settings(
    resolution: Sequence[int], fraction: float, calibration_size: int, calibration_batch: int, workers: int | None
) -> None:
    """Raise DynasError where a setting makes no sense on any images."""
    if len(resolution) != 2 or min(resolution) < 1:
        raise DynasError(f"data.resolution={list(resolution)}: give [height,width] in pixels, such as [224,224]")
    if not 0 < fraction <= 1:
        raise DynasError(f"data.fraction={fraction}: give a share of the validation images, above 0 and up to 1")
    if min(calibration_size, calibration_batch, 1 if workers is None else workers) < 1:
        raise DynasError(
            f"data.calibration_size={calibration_size} data.calibration_batch={calibration_batch} "
            f"data.workers={workers}: give 1 or more (data.workers=null: one per core)"
        )


def check_share(held_out: float) -> None:
    """Raise DynasError where a share of the images cannot be held out."""
    if not 0 < held_out < 1:
        raise DynasError(f"data.validation_share={held_out}: give a share of the images between 0 and 1")


def stratified_rows(labels: NDArray[np.int64], fraction: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the sorted indices of a random subset in which every class has its share, as nearly as numbers allow.

    A smaller fraction with the same generator is a subset of a larger one.
    """
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # by class, at random within each
    counts = np.bincount(labels)
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = (rank + rng.random(len(labels))) / np.repeat(counts, counts)
    kept = order[np.argsort(share, kind="stable")][: max(1, round(fraction * len(labels)))]
    return np.sort(kept)
