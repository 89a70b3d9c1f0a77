"""A torch.utils.data.Dataset of somebody's own, whose items are an image and its label."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from dynas.core.data import ClassificationData
from dynas.errors import DynasError, reason
from dynas.system.named import found_or_made

BATCH_PIXELS = 8 * 224 * 224  # of a validation batch: larger ones leave the processor's caches and are slower
Item = tuple[Tensor, int]


class TorchDataset(ClassificationData):
    """Validation, calibration and training images as a Dataset gives them.

    An item is an image, a float tensor ``(channels, height, width)`` that is ready for the network, and its label, a
    whole number from 0 on. Images for validation and calibration are read once and kept in memory; those for training
    are read anew in every epoch, so that what they are changed by at random changes.

    Args:
        train: the training images: the Dataset, or as ``module:name`` itself or a function that returns it.
        validation: the images that accuracy is measured on, as ``train``; None: a share of the training images.
        validation_share: that share, which is not trained on.
        classes: number of classes; None: as many as the attribute ``classes`` of the Dataset lists, or else as the
            largest label of the images for validation and calibration says.
        calibration_size: training images that batch norm is re-calibrated on; all, where there are fewer.
        calibration_batch: of them at a time.
        seed: of what is held out, and of the calibration images.

    Raises:
        DynasError: there is no such Dataset, an item is no image with a label, sizes differ, or a setting makes no
            sense.
    """

    concurrent = True

    def __init__(
        self,
        train: str | Dataset[Any],
        validation: str | Dataset[Any] | None = None,
        validation_share: float = 0.2,
        classes: int | None = None,
        calibration_size: int = 500,
        calibration_batch: int = 100,
        seed: int = 0,
    ) -> None:
        if not 0 < validation_share < 1 or min(calibration_size, calibration_batch, classes or 1) < 1:
            raise DynasError(
                f"data.validation_share={validation_share} data.classes={classes} "
                f"data.calibration_size={calibration_size} data.calibration_batch={calibration_batch}: give a share "
                "between 0 and 1, and numbers of 1 or more"
            )
        images = Images(train, "data.train")
        order = np.random.default_rng(seed).permutation(len(images))
        if validation is None:
            held_out, count = images, round(validation_share * len(images))
            rows, self._rows = np.split(order, [count])
            if not len(rows) or not len(self._rows):
                raise DynasError(f"data.train has {len(images)} images, too few to hold some out: give data.validation")
        else:
            held_out, self._rows = Images(validation, "data.validation"), order
            rows = np.arange(len(held_out))
        self._train, self._calibration_batch = images, calibration_batch
        self._calibration, labels = images.at(self._rows[:calibration_size])
        self._validation, self._labels = held_out.at(rows, self._calibration.shape[1:])
        listed = getattr(images.dataset, "classes", None)
        known = (
            len(listed) if isinstance(listed, Sequence) and listed else int(torch.cat([labels, self._labels]).max()) + 1
        )
        self.classes: int = classes or known
        check_labels(self._labels, self.classes, held_out.setting)
        content = hashlib.sha256(str((tuple(self._validation.shape), len(self._rows))).encode())
        for tensor in (self._validation, self._labels, self._calibration):
            content.update(tensor.numpy().tobytes())
        self.digest = content.hexdigest()

    def validation_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images ``(n, channels, height, width)`` and labels ``(n,)``."""
        size = max(1, BATCH_PIXELS // (self._validation.shape[2] * self._validation.shape[3]))
        return zip(torch.split(self._validation, size), torch.split(self._labels, size), strict=True)

    def calibration_batches(self) -> Iterator[Tensor]:
        """Yield training images ``(n, channels, height, width)``."""
        return iter(torch.split(self._calibration, self._calibration_batch))

    def __len__(self) -> int:
        """Return the number of training images."""
        return len(self._rows)

    def training_steps(self, batch_size: int) -> int:
        """Return the number of full batches of an epoch."""
        return len(self) // batch_size

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch of images ``(n, channels, height, width)`` and labels ``(n,)``, read one by one."""
        order = rng.permutation(self._rows)
        for start in range(0, len(order) - batch_size + 1, batch_size):
            images, labels = self._train.at(order[start : start + batch_size], self._calibration.shape[1:])
            check_labels(labels, self.classes, self._train.setting)
            yield images, labels


class Images:
    """A Dataset whose items are looked at when they are read.

    Args:
        given: the Dataset or its name.
        setting: where it was given.

    Raises:
        DynasError: it is no Dataset with a length, or it is empty.
    """

    def __init__(self, given: str | Dataset[Any], setting: str) -> None:
        made = found_or_made(given, setting, Dataset) if isinstance(given, str) else given
        if not hasattr(made, "__getitem__") or not hasattr(made, "__len__"):
            raise DynasError(
                f"{setting} is a {type(made).__name__}, but a torch.utils.data.Dataset with __getitem__ and __len__ is "
                "needed"
            )
        self.dataset, self.setting = made, setting
        if not len(self):
            raise DynasError(f"{setting} holds no images")

    def __len__(self) -> int:
        return len(self.dataset)

    def at(self, rows: Sequence[int] | np.ndarray[Any, Any], shape: Sequence[int] = ()) -> tuple[Tensor, Tensor]:
        """Return images and labels of some rows in their order, the images all of a shape, or else of the first's.

        Raises:
            DynasError: an item cannot be read, or is no image of that shape with a label.
        """
        images, labels = [], []
        for row in map(int, rows):
            image, label = self._item(row)
            shape = tuple(shape or image.shape)
            if tuple(image.shape) != shape:
                raise DynasError(
                    f"item {row} of {self.setting} is an image of {size(image.shape)} where others are of "
                    f"{size(shape)} (channels x height x width): let the Dataset bring them to one size"
                )
            images.append(image)
            labels.append(label)
        return torch.stack(images), torch.tensor(labels)

    def _item(self, row: int) -> Item:
        try:
            item = self.dataset[row]
        except Exception as error:  # a user's code may raise anything
            raise DynasError(f"item {row} of {self.setting} cannot be read: {reason(error)}") from error
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise DynasError(f"item {row} of {self.setting} is {kind(item)}: items are (image, label)")
        image, label = item
        if not isinstance(image, Tensor) or image.dim() != 3 or not image.is_floating_point():
            raise DynasError(
                f"item {row} of {self.setting} begins with {kind(image)}: an image is a float tensor (channels, "
                "height, width), ready for the network"
            )
        if isinstance(label, Tensor | np.ndarray) and label.ndim == 0:
            label = label.item()
        if not isinstance(label, int | np.integer) or isinstance(label, bool) or label < 0:
            told = repr(label) if isinstance(label, int | float | str) else kind(label)
            raise DynasError(f"item {row} of {self.setting} has the label {told}: labels are whole numbers from 0 on")
        return image.detach().float(), int(label)


def check_labels(labels: Tensor, classes: int, setting: str) -> None:
    """Raise DynasError where a label is beyond the number of classes."""
    if int(labels.max()) >= classes:
        raise DynasError(
            f"{setting} has the label {int(labels.max())}, but there are {classes} classes, from 0 to {classes - 1}: "
            "give data.classes, or other labels"
        )


def size(shape: Sequence[int]) -> str:
    """Return a shape in words."""
    return "x".join(map(str, shape))


def kind(value: object) -> str:
    """Return in words what somebody gave instead of something else."""
    if isinstance(value, Tensor):
        return f"a tensor ({', '.join(map(str, value.shape))}) of {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"
