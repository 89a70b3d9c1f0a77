"""Top-1 accuracy of a sub-network after batch-norm re-calibration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dynas.core.data import ClassificationData
from dynas.core.metric import Reading
from dynas.core.recommendation import Recommender
from dynas.core.translation import Translator
from dynas.errors import DynasError
from dynas.metrics.calibration import check_sizes, device_of, recalibrate, sized

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
    recalibrate(subnet, own.calibration_batches())
    return top1(subnet, own.validation_batches())


class Top1:
    """Share of validation samples whose class has the highest logit, in percent."""

    extras = ()

    def check(self, bench: Bench) -> None:
        """Raise DynasError where data or supernet are not made for classification, or images lack sizes in demand."""
        if not hasattr(bench.data, "classes"):
            raise DynasError(
                "top1 needs data of classification: give data=fashion_mnist or another, or other objectives"
            )
        supernet = bench.supernet
        subnet = supernet.subnet(supernet.space.decode(supernet.space.smallest()))
        if isinstance(subnet, Translator | Recommender):
            raise DynasError(f"supernet '{supernet.name}' takes no images: top1 needs one that does, such as mbv3")
        check_sizes(supernet, bench.data)

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Re-calibrate batch norm on the calibration samples, then count on the validation samples."""
        return [Reading(recalibrated_top1(subnet, bench.data)) for subnet in subnets]
