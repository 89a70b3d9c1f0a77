"""The contract of data sets for classification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from torch import Tensor

IGNORED = -100  # label of what is not learned, such as padding


class ClassificationData(Protocol):
    """Samples of one task; the same ones for every sub-network.

    A data set whose images can be had in other sizes has a method ``at(resolution)``: the same samples with images of
    that height and width, the object itself where they are so already. Without it, all sub-networks get the images
    as they are, and none may ask for a size of its own (see `dynas.metrics.calibration.check_sizes`).

    A data set that comes with its own version of a metric, such as a model of accuracy, says so by one more
    attribute ``metrics``, a mapping from the metric's class to what replaces it (see `dynas.core.metric.follow`).
    One whose inputs are normalised says how by an attribute ``normalisation``, a mapping for people who use an
    exported network: range of the raw values, ``mean`` and ``std`` per channel.

    Batches are float tensors, ready for the network; their sizes are the data set's choice, which knows what an
    image takes.

    Attributes:
        quality: name of the objective that tells how well the task is done, ``top1``.
        classes: number of classes.
        digest: SHA-256 that identifies the data.
    """

    quality: str
    classes: int
    digest: str

    def validation_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the inputs ``(n, ...)`` and labels ``(n,)`` that accuracy is measured on, each of them once."""
        ...

    def calibration_batches(self) -> Iterator[Tensor]:
        """Yield the training inputs ``(n, ...)`` for batch-norm statistics; batch by batch, they decide these."""
        ...

    def training_steps(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""
        ...

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch of inputs ``(n, ...)`` and labels ``(n,)`` in full batches."""
        ...
