"""Latency of a sub-network on the configured hardware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from dynas.metrics.base import Reading

if TYPE_CHECKING:
    from dynas.bench import Bench


class Latency:
    """Median wall time of one forward pass, with its 10 % and 90 % quantiles."""

    extras = ("latency_p10 [ms]", "latency_p90 [ms]", "latency_repeats [runs]")

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Measure all sub-networks in interleaved rounds, so that a disturbance hits them alike."""
        inputs = [bench.supernet.example_inputs(bench.meter.batch_size, subnet) for subnet in subnets]
        readings = []
        for latency in bench.meter(subnets, inputs):
            spread = (latency.p10_ms, latency.p90_ms, float(latency.repeats))
            readings.append(Reading(latency.median_ms, dict(zip(self.extras, spread, strict=True))))
        return readings
