"""What quantisation looks at: the first samples that the data calibrate on, the same for measurements and for files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import cast

import torch
from torch import Tensor, nn

from dynas.core.data import ClassificationData, Data
from dynas.core.texts import TextData
from dynas.metrics.calibration import sized

TOGETHER = 16  # samples whose ranges are taken together

Inputs = tuple[Tensor, ...]


def can_calibrate(data: Data | None) -> bool:
    """Return whether data hold inputs that a network can be quantised on: images or texts."""
    return isinstance(data, ClassificationData | TextData) and not data.modelled


def calibration_samples(data: Data, subnet: nn.Module, count: int) -> list[Inputs]:
    """Return the first ``count`` samples for a sub-network, or all where there are fewer, in batches of one shape."""
    return first_samples(
        calibration_inputs(sized(data, subnet) if isinstance(data, ClassificationData) else data), count
    )


def calibration_inputs(data: Data) -> Iterator[Inputs]:
    """Yield batches of a network's inputs, from the training samples."""
    if isinstance(data, TextData):
        yield from data.calibration_batches()
    else:
        yield from ((images,) for images in cast(ClassificationData, data).calibration_batches())


def first_samples(batches: Iterable[Inputs], count: int) -> list[Inputs]:
    """Return the first ``count`` samples, or all where there are fewer; batches of inputs of one shape are joined."""
    taken: list[Inputs] = []
    for batch in batches:
        taken.append(tuple(one[:count] for one in batch))
        count -= len(taken[-1][0])
        if count == 0:
            break
    groups = groupby(taken, key=lambda batch: [one.shape[1:] for one in batch])
    return [tuple(map(torch.cat, zip(*group, strict=True))) for _, group in groups]


def small_batches(samples: Sequence[Inputs], size: int = TOGETHER) -> Iterator[Inputs]:
    """Yield samples in batches of at most ``size``."""
    for batch in samples:
        yield from zip(*(torch.split(one.contiguous(), size) for one in batch), strict=True)
