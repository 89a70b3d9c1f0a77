"""The contracts of data sets: what all have in common, and those of classification."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

IGNORED = -100  # label of what is not learned, such as padding


class Data(ABC):
    """Samples of one task; the same ones for every sub-network.

    Attributes:
        task: what is learned from them, such as ``classification``; metrics and supernets name the same word.
        quality: name of the objective that tells how well the task is done, such as ``top1``.
        digest: SHA-256 that identifies the data.
        concurrent: whether several threads may read batches at the same time: samples lie in memory, in small batches.
        replaces: by the objective's name, the metric (`dynas.core.metric`) that stands in for the objective's own.
        normalisation: how inputs are normalised, for people who use an exported network: range of the raw values,
            ``mean`` and ``std`` per channel; None where they are not.
    """

    task: str
    quality: str
    digest: str
    concurrent: bool = False
    replaces: Mapping[str, object] = MappingProxyType({})
    normalisation: Mapping[str, object] | None = None

    @property
    def modelled(self) -> bool:
        """Whether quality is estimated by a model, so that there are no samples to measure it on."""
        return self.quality in self.replaces


class ClassificationData(Data):
    """Samples with one label each.

    Batches are float tensors, ready for the network; their sizes are the data set's choice, which knows what an
    image takes.

    Attributes:
        labelled: whether labels are known; of samples without, all are `IGNORED`, and quality is how closely a network
            follows another one (`dynas.metrics.agreement`).
        classes: number of classes; None: not known.
    """

    task = "classification"
    quality = "top1"
    labelled: bool = True
    classes: int | None

    @abstractmethod
    def validation_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the inputs ``(n, ...)`` and labels ``(n,)`` that accuracy is measured on, each of them once."""

    @abstractmethod
    def calibration_batches(self) -> Iterator[Tensor]:
        """Yield the training inputs ``(n, ...)`` for batch-norm statistics; batch by batch, they decide these."""

    @abstractmethod
    def training_steps(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""

    @abstractmethod
    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch of inputs ``(n, ...)`` and labels ``(n,)`` in full batches."""


@runtime_checkable
class Resizable(Protocol):
    """Data whose images can be had in other sizes.

    Of data that are not, all sub-networks get the images as they are, and none may ask for a size of its own (see
    `dynas.metrics.calibration.check_sizes`).
    """

    def at(self, resolution: tuple[int, int]) -> ClassificationData:
        """Return the same samples with images of a height and width, the object itself where they are so already."""
        ...
