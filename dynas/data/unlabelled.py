"""Images of which nobody knows the classes, in a folder: networks are judged by how closely they follow another one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dynas.core.data import IGNORED
from dynas.data.images.folder import SUFFIXES, ImageList, image_names
from dynas.data.images.photographs import USUAL, Photographs, check_settings, check_share
from dynas.errors import DynasError


class UnlabelledImages(Photographs):
    """Validation, calibration and training images of one size; every label is `dynas.core.data.IGNORED`.

    Args:
        path: a folder; all images in it and in its sub-folders are taken.
        resolution: height and width of the images; None: those of `dynas.data.images.photographs.USUAL`.
        validation: folder of the images that networks are judged on; None: a share of all.
        validation_share: the share of the images that is held out where there are no validation images.
        calibration_size, calibration_batch, cache, workers: see `dynas.data.images.photographs.Photographs`.
        seed: of what is held out, of the calibration images and of their random crops.

    Raises:
        DynasError: there is no such folder, it holds too few images, or a setting makes no sense.
    """

    quality = "agreement"
    labelled = False
    cached_as = "unlabelled"

    def __init__(
        self,
        path: str,
        resolution: Sequence[int] | None = None,
        validation: str | None = None,
        validation_share: float = 0.2,
        calibration_size: int = 500,
        calibration_batch: int = 100,
        cache: str | None = None,
        workers: int | None = None,
        seed: int = 0,
    ) -> None:
        resolution = USUAL if resolution is None else resolution
        check_settings(resolution, 1.0, calibration_size, calibration_batch, workers)
        check_share(validation_share)
        train, rng = listed(path), np.random.default_rng(seed)
        if validation is not None:
            held_out = listed(validation)
        else:
            rows = np.split(rng.permutation(len(train)), [max(1, round(validation_share * len(train)))])
            held_out, train = (train.choose(np.sort(own)) for own in rows)
            if not len(train):
                raise DynasError(f"'{path}' has too few images to hold some of them out: give data.validation")
        super().__init__(train, held_out, resolution, calibration_size, calibration_batch, cache, workers, seed, rng)
        self.classes = None


def listed(path: str) -> ImageList:
    """Return all images of a folder and its sub-folders.

    Raises:
        DynasError: there are none.
    """
    folder = Path(path).expanduser().absolute()
    if not folder.is_dir():
        raise DynasError(f"no folder of images '{folder}': give data.path=<one>")
    names = image_names(folder)
    if not names:
        raise DynasError(f"'{folder}' holds no images: their names end with {', '.join(SUFFIXES)}")
    return ImageList(folder, names, np.full(len(names), IGNORED, dtype=np.int64), [])
