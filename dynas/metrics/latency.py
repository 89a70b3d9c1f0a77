"""Latency and throughput of a sub-network on the configured hardware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from dynas.errors import DynasError
from dynas.metrics.base import Reading

if TYPE_CHECKING:
    from dynas.bench import Bench
    from dynas.hardware.latency import Latency as Timing


def time_all(subnets: Sequence[nn.Module], bench: Bench, batch_size: int) -> list[Timing]:
    """Time all sub-networks in interleaved rounds, so that a disturbance hits them alike.

    A supernet whose networks are used by more than one forward pass says so by a method ``timed``, which turns a
    sub-network into the module to be timed.
    """
    timed = getattr(bench.supernet, "timed", lambda subnet: subnet)
    inputs = [bench.supernet.example_inputs(batch_size, subnet) for subnet in subnets]
    return bench.meter([timed(subnet) for subnet in subnets], inputs)


class Latency:
    """Median wall time of one forward pass, with its 10 % and 90 % quantiles."""

    noisy = True
    extras = ("latency_p10 [ms]", "latency_p90 [ms]", "latency_repeats [runs]")

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Time all sub-networks on batches of the meter's size."""
        readings = []
        for latency in time_all(subnets, bench, bench.meter.batch_size):
            spread = (latency.p10_ms, latency.p90_ms, float(latency.repeats))
            readings.append(Reading(latency.median_ms, dict(zip(self.extras, spread, strict=True))))
        return readings


class Throughput:
    """Samples per second in batches, from the median wall time.

    Args:
        batch_size: samples per batch, whatever the batch size of a latency is.

    Raises:
        DynasError: the batch size makes no sense.
    """

    noisy = True
    extras = ()

    def __init__(self, batch_size: int) -> None:
        if batch_size < 1:
            raise DynasError(f"objectives.throughput.metric.batch_size={batch_size}: give 1 or more")
        self.batch_size = batch_size

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Time all sub-networks on batches of this metric's size."""
        timings = time_all(subnets, bench, self.batch_size)
        return [Reading(1e3 * self.batch_size / timing.median_ms) for timing in timings]
