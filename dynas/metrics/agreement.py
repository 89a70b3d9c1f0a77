"""How closely a sub-network follows the network that all are made from: images are enough, labels are not needed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.core.activity import doing, each
from dynas.core.data import ClassificationData
from dynas.core.meter import in_torch
from dynas.core.metric import MeasuredMetric, Reading
from dynas.errors import DynasError
from dynas.metrics.calibration import check_sizes, device_of, recalibrate, sized

if TYPE_CHECKING:
    from dynas.core.bench import Bench


class Likeness(MeasuredMetric):
    """What is compared with the original's logits on the validation images, after batch-norm re-calibration."""

    task = "classification"

    def __init__(self) -> None:
        self._wanted: Tensor | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave out the original's logits, which a worker computes itself."""
        return {"_wanted": None}

    def check(self, bench: Bench) -> None:
        """Raise DynasError where sub-networks are not made from a network, or images lack sizes that they demand."""
        if bench.supernet.original is None:
            raise DynasError(
                f"the sub-networks of '{bench.supernet.name}' are not made from a trained network that they could be "
                "compared with: give objectives=top1, or supernet=prune"
            )
        check_sizes(bench.supernet, bench.data)

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Re-calibrate batch norm, then compare logits."""
        data = cast(ClassificationData, bench.data)
        if self._wanted is None:
            assert bench.supernet.original is not None
            with doing("asking the original"):
                self._wanted = logits(in_torch(bench.supernet.subnet(bench.supernet.original)), data)
        readings = []
        for subnet in each(subnets):
            with doing("calibrating"):
                recalibrate(subnet, sized(data, subnet).calibration_batches())
            readings.append(Reading(self.compared(logits(subnet, data), self._wanted)))
        return readings

    @abstractmethod
    def compared(self, found: Tensor, wanted: Tensor) -> float:
        """Return how logits ``(n, classes)`` compare with the original's."""


class Agreement(Likeness):
    """Share of images for which both have their highest logit at the same class, in percent."""

    def compared(self, found: Tensor, wanted: Tensor) -> float:
        """Return how logits ``(n, classes)`` compare with the original's."""
        return 100.0 * float((found.argmax(1) == wanted.argmax(1)).double().mean())


class ImageDivergence(Likeness):
    """Mean Kullback-Leibler divergence of the classes' probabilities from the original's, in nats per image."""

    def compared(self, found: Tensor, wanted: Tensor) -> float:
        """Return how logits ``(n, classes)`` compare with the original's."""
        own, original = found.double().log_softmax(1), wanted.double().log_softmax(1)
        return max(0.0, float(F.kl_div(own, original, reduction="batchmean", log_target=True)))


@torch.inference_mode()
def logits(network: nn.Module, data: ClassificationData) -> Tensor:
    """Return a network's logits ``(n, classes)`` of all validation images, in their order."""
    device = device_of(network)
    batches = sized(data, network).validation_batches()
    return torch.cat([network(images.to(device)).float().cpu() for images, _ in batches])
