"""Top-1 accuracy of a sub-network after batch-norm re-calibration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from dynas.core.activity import doing
from dynas.core.data import ClassificationData, Data
from dynas.core.metric import MeasuredMetric, Reading
from dynas.errors import DynasError
from dynas.metrics.calibration import check_sizes, device_of, recalibrate, sized
from dynas.metrics.folding import folded
from dynas.metrics.threads import side_by_side

if TYPE_CHECKING:
    from dynas.core.bench import Bench


def top1(subnet: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Return the percentage of images whose highest logit is at their label.

    Args:
        subnet: maps images ``(n, C, H, W)`` to logits ``(n, classes)``.
        batches: images and labels ``(n,)``.
    """
    correct, total, device = 0, 0, device_of(subnet)
    with torch.inference_mode():
        for images, labels in batches:
            correct += int((subnet(images.to(device)).argmax(1) == labels.to(device)).sum())
            total += len(labels)
    return 100.0 * correct / total


def recalibrated_top1(subnet: nn.Module, data: ClassificationData) -> float:
    """Re-calibrate ``subnet`` on the calibration samples, in place; return its top-1 (%) on the validation samples."""
    own = sized(data, subnet)
    with doing("calibrating"):
        recalibrate(subnet, own.calibration_batches())
    with folded(subnet):
        return top1(subnet, own.validation_batches())


def check_labels(data: Data) -> None:
    """Raise DynasError where top-1 cannot be told, as nothing has a label."""
    if isinstance(data, ClassificationData) and not data.labelled:
        raise DynasError(
            "top1 needs labels, which these images lack: judge by agreement with the original or by divergence from "
            "it, as in dynas compress judge=agreement or dynas search supernet=prune objectives=[agreement,latency]"
        )


class Top1(MeasuredMetric):
    """Share of validation samples whose class has the highest logit, in percent."""

    task = "classification"
    portable = True

    def check(self, bench: Bench) -> None:
        """Raise DynasError where images lack labels, or sizes that sub-networks demand."""
        check_labels(bench.data)
        check_sizes(bench.supernet, bench.data)

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Re-calibrate batch norm on the calibration samples, then count on the validation samples."""
        data = cast(ClassificationData, bench.data)
        return side_by_side(lambda subnet: Reading(recalibrated_top1(subnet, data)), subnets, data)
