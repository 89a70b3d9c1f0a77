"""ImageNet (Russakovsky et al. 2015, arXiv:1409.0575), or any photographs in its layout, in a folder of JPEG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dynas.data.images.folder import list_classes
from dynas.data.images.imagenet_labels import validation_images
from dynas.data.images.photographs import USUAL, Photographs, check_settings, stratified_rows
from dynas.errors import DynasError


class ImageNet(Photographs):
    """Validation, calibration and training images of one size.

    Args:
        path: folder with ``val`` and ``train``. ``train`` has one folder per class, ``val`` has too or is flat (see
            `dynas.data.images.imagenet_labels`). Class indices follow the sorted names of the classes.
        resolution: height and width of the images; None: those of `USUAL`.
        fraction: share of the validation images that accuracy is measured on.
        labels: file of labels for a flat ``val``; None: looked for beside it.
        calibration_size, calibration_batch, cache, workers: see `Photographs`.
        seed: seed of the validation subset, of the calibration images and of their random crops.

    Raises:
        DynasError: folders, labels or images are missing, or a setting makes no sense.
    """

    def __init__(
        self,
        path: str,
        resolution: Sequence[int] | None,
        fraction: float = 1.0,
        calibration_size: int = 2000,
        calibration_batch: int = 200,
        labels: str | None = None,
        cache: str | None = None,
        workers: int | None = None,
        seed: int = 0,
    ) -> None:
        resolution = USUAL if resolution is None else resolution
        check_settings(resolution, fraction, calibration_size, calibration_batch, workers)
        root = Path(path).expanduser().absolute()
        everything = validation_images(root, labels)
        train = root / "train"
        if not train.is_dir():
            raise DynasError(
                f"no folder '{train}': batch norm is re-calibrated on training images, so data.path needs 'train' too"
            )
        listed = list_classes(train, everything.classes)
        rng = np.random.default_rng(seed)
        validation = everything.choose(stratified_rows(everything.labels, fraction, rng))
        super().__init__(listed, validation, resolution, calibration_size, calibration_batch, cache, workers, seed, rng)
