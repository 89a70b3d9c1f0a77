"""Accuracy of a classifier of texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from dynas.core.activity import each
from dynas.core.metric import MeasuredMetric, Reading
from dynas.core.texts import TextData
from dynas.metrics.calibration import device_of

if TYPE_CHECKING:
    from dynas.core.bench import Bench

STANDARD_ERROR = "accuracy_se [%]"


class Accuracy(MeasuredMetric):
    """Share of validation texts whose class has the highest logit, in percent, with its standard error."""

    task = "text classification"
    extras = (STANDARD_ERROR,)

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Return the accuracy of each on the validation texts."""
        return [accuracy(subnet, cast(TextData, bench.data)) for subnet in each(subnets)]


@torch.inference_mode()
def accuracy(subnet: nn.Module, data: TextData) -> Reading:
    """Return the share of validation texts (%) whose highest logit is at their label."""
    correct, total, device = 0, 0, device_of(subnet)
    for pieces, mask, labels in data.validation_batches():
        found = subnet(pieces.to(device), mask.to(device)).argmax(1)
        correct += int((found == labels.to(device)).sum())
        total += len(labels)
    share = correct / total
    return Reading(100 * share, {STANDARD_ERROR: 100 * math.sqrt(share * (1 - share) / total)})
