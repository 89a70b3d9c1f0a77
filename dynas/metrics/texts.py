"""Accuracy of a classifier of texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from dynas.core.metric import MeasuredMetric, Reading
from dynas.core.texts import TextData
from dynas.metrics.calibration import device_of
from dynas.metrics.threads import side_by_side
from dynas.system.machine import multiplies_bfloat16

if TYPE_CHECKING:
    from dynas.core.bench import Bench

STANDARD_ERROR = "accuracy_se [%]"


class Accuracy(MeasuredMetric):
    """Share of validation texts whose class has the highest logit, in percent, with its standard error.

    Args:
        bfloat16: whether products are computed in bfloat16, which is twice as fast where the processor has instructions
            for them; None: where it has.
    """

    task = "text classification"
    extras = (STANDARD_ERROR,)

    def __init__(self, bfloat16: bool | None = None) -> None:
        self.bfloat16 = multiplies_bfloat16() if bfloat16 is None else bfloat16
        self.note = "accuracy is that of products in bfloat16" if self.bfloat16 else ""

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Return the accuracy of each on the validation texts."""
        data = cast(TextData, bench.data)
        return side_by_side(lambda subnet: accuracy(subnet, data, self.bfloat16), subnets, data)


@torch.inference_mode()
def accuracy(subnet: nn.Module, data: TextData, bfloat16: bool = False) -> Reading:
    """Return the share of validation texts (%) whose highest logit is at their label."""
    correct, total, device = 0, 0, device_of(subnet)
    for pieces, mask, labels in data.validation_batches():
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            found = subnet(pieces.to(device), mask.to(device)).argmax(1)
        correct += int((found == labels.to(device)).sum())
        total += len(labels)
    share = correct / total
    return Reading(100 * share, {STANDARD_ERROR: 100 * math.sqrt(share * (1 - share) / total)})
