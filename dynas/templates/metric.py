"""A metric: how far stated probabilities are from the share of right answers.

`dynas.core.metric` says what a metric promises. The error is the expected calibration error of Guo et al. 2017
(https://proceedings.mlr.press/v70/guo17a.html): the mean distance between confidence and accuracy over bins of
confidence, weighted by the samples in each bin.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from dynas.core.bench import Bench
from dynas.core.data import ClassificationData
from dynas.core.metric import MeasuredMetric, Reading
from dynas.errors import DynasError
from dynas.metrics.calibration import recalibrated, sized


class Mine(MeasuredMetric):
    """Expected calibration error on the validation samples, in percent.

    Args:
        bins: intervals of confidence, equally wide.
    """

    task = "classification"  # networks and data of another task are refused before anything is measured

    def __init__(self, bins: int = 15) -> None:
        if bins < 1:  # bad settings are refused in one sentence that says what is allowed
            raise DynasError(f"bins={bins}: give 1 or more")
        self.bins = bins

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Return one reading per sub-network."""
        assert isinstance(bench.data, ClassificationData)
        # a sub-network has the statistics of batch norm of all others until these are taken anew
        return [Reading(self._error(recalibrated(subnet, bench.data), bench.data)) for subnet in subnets]

    def _error(self, subnet: nn.Module, data: ClassificationData) -> float:
        confidence, right = [], []
        with torch.inference_mode():
            for images, labels in sized(data, subnet).validation_batches():
                best = subnet(images).softmax(dim=1).max(dim=1)
                confidence.append(best.values)
                right.append((best.indices == labels).float())
        sure, correct = torch.cat(confidence), torch.cat(right)
        bins = (sure * self.bins).long().clamp(max=self.bins - 1)
        gaps = torch.zeros(self.bins).index_add(0, bins, correct - sure)
        return 100 * float(gaps.abs().sum()) / len(sure)
