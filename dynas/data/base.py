"""The contract of data sets for classification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from torch import Tensor


class ClassificationData(Protocol):
    """Samples of one task; the same ones for every sub-network.

    A data set that comes with its own version of a metric, such as a model of accuracy, says so by one more
    attribute ``metrics``, a mapping from the metric's class to what replaces it (see `dynas.metrics.base.follow`).
    One whose inputs are normalised says how by an attribute ``normalisation``, a mapping for people who use an
    exported network: range of the raw values, ``mean`` and ``std`` per channel.

    Attributes:
        classes: number of classes.
        validation: inputs ``(N, ...)`` and labels ``(N,)`` that accuracy is measured on.
        calibration: training inputs ``(N, ...)`` for batch-norm statistics.
        digest: SHA-256 of the raw data.
    """

    classes: int
    validation: tuple[Tensor, Tensor]
    calibration: Tensor
    digest: str

    def __len__(self) -> int:
        """Return the number of training samples of an epoch."""
        ...

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch of inputs ``(n, ...)`` and labels ``(n,)`` in full batches."""
        ...
