"""Latency and throughput of a sub-network on the configured hardware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from dynas.core.metric import MeasuredMetric, Reading
from dynas.errors import DynasError

if TYPE_CHECKING:
    from dynas.core.bench import Bench
    from dynas.core.meter import Timing


def time_all(subnets: Sequence[nn.Module], bench: Bench, batch_size: int) -> list[Timing]:
    """Time all sub-networks in interleaved rounds, so that a disturbance hits them alike."""
    pairs = bench.to_time(subnets, batch_size)
    return bench.meter([module for module, _ in pairs], [inputs for _, inputs in pairs])


class Latency(MeasuredMetric):
    """Median time of one forward pass, with its 10 % and 90 % quantiles and what is to be said of it."""

    noisy = True
    times = True
    extras = (
        "latency_p10 [ms]",
        "latency_p90 [ms]",
        "latency_repeats [runs]",
        "latency_drift [%]",
        "latency_quality",
    )

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Time all sub-networks on batches of the meter's size."""
        readings = []
        for one in time_all(subnets, bench, bench.meter.batch_size):
            drift = round(100 * one.drift, 2)
            extras = (one.p10_ms, one.p90_ms, float(one.repeats), drift, one.quality)
            readings.append(Reading(one.median_ms, dict(zip(self.extras, extras, strict=True))))
        return readings


class Throughput(MeasuredMetric):
    """Samples per second in batches, from the median wall time.

    Args:
        batch_size: samples per batch, whatever the batch size of a latency is.

    Raises:
        DynasError: the batch size makes no sense.
    """

    noisy = True
    times = True

    def __init__(self, batch_size: int) -> None:
        if batch_size < 1:
            raise DynasError(f"objectives.throughput.metric.batch_size={batch_size}: give 1 or more")
        self.batch_size = batch_size

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Time all sub-networks on batches of this metric's size."""
        timings = time_all(subnets, bench, self.batch_size)
        return [Reading(1e3 * self.batch_size / timing.median_ms) for timing in timings]
