"""Top-1 accuracy of a sub-network after batch-norm re-calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dynas.errors import DynasError
from dynas.metrics.base import Reading

if TYPE_CHECKING:
    from dynas.bench import Bench

BATCH = 500


def recalibrate(subnet: nn.Module, batches: Sequence[Tensor]) -> None:
    """Recompute the batch-norm statistics of ``subnet`` on batches of images ``(N, C, H, W)``, in place.

    Weight sharing leaves a sub-network with the statistics of others. As in Once-for-All (arXiv:1908.09791),
    every batch is normalised by its own mean and variance, and their averages over all images are kept.
    """
    norms = [module for module in subnet.modules() if isinstance(module, nn.BatchNorm2d)]
    sums = [(torch.zeros(norm.num_features), torch.zeros(norm.num_features)) for norm in norms]

    def collect(norm: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        images, values = len(inputs[0]), inputs[0][:, 0].numel()
        mean, variance = sums[norms.index(norm)]
        mean += images * norm.running_mean
        variance += images * norm.running_var * (values - 1) / values  # torch keeps the unbiased one

    hooks = [norm.register_forward_hook(collect) for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = 1.0  # the running statistics are those of the last batch
        norm.train()
    with torch.inference_mode():
        for batch in batches:
            subnet(batch)
    for hook in hooks:
        hook.remove()
    subnet.eval()
    total = sum(len(batch) for batch in batches)
    for norm, (mean, variance) in zip(norms, sums, strict=True):
        norm.running_mean = mean / total
        norm.running_var = variance / total


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
        """Re-calibrate batch norm on the calibration samples, then count on the validation samples.

        Raises:
            DynasError: the data is not made for classification.
        """
        if not hasattr(bench.data, "classes"):
            raise DynasError(
                "top1 needs data of classification: give data=fashion_mnist or another, or choose objectives=bleu"
            )
        readings = []
        for subnet in subnets:
            recalibrate(subnet, torch.split(bench.data.calibration, BATCH))
            readings.append(Reading(top1(subnet, *bench.data.validation)))
        return readings
