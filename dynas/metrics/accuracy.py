"""Top-1 accuracy of a sub-network after batch-norm re-calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dynas.metrics.base import Reading

if TYPE_CHECKING:
    from dynas.bench import Bench

BATCH = 500


def recalibrate(subnet: nn.Module, images: Tensor) -> None:
    """Recompute the batch-norm statistics of ``subnet`` on ``images`` ``(N, C, H, W)``, in place.

    Weight sharing leaves a sub-network with statistics of other sub-networks; Once-for-All
    (arXiv:1908.09791, section 3.2) re-estimates them on training images before each evaluation.
    """
    norms = [module for module in subnet.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # plain average over the batches
        norm.train()
    with torch.inference_mode():
        for batch in torch.split(images, BATCH):
            subnet(batch)
    subnet.eval()


def top1(subnet: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the percentage of ``images`` ``(N, C, H, W)`` whose highest logit is at ``labels`` ``(N,)``."""
    correct = 0
    with torch.inference_mode():
        for batch, truth in zip(torch.split(images, BATCH), torch.split(labels, BATCH), strict=True):
            correct += int((subnet(batch).argmax(1) == truth).sum())
    return 100.0 * correct / len(labels)


class Top1:
    """Share of validation samples whose class has the highest logit, in percent."""

    extras = ()

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Re-calibrate batch norm on the calibration samples, then count on the validation samples."""
        readings = []
        for subnet in subnets:
            recalibrate(subnet, bench.data.calibration)
            readings.append(Reading(top1(subnet, *bench.data.validation)))
        return readings
