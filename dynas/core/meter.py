"""The contract of latency meters: modules go in, times come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn


@dataclass(frozen=True)
class Latency:
    """Time of one forward pass in milliseconds: median, 10 % and 90 % quantile over ``repeats`` timings.

    Attributes:
        drift: how much slower the machine was meanwhile than at first, as a share; it is already divided out.
        quality: ``ok``; ``unsteady`` where the median is not known as precisely as was asked for; ``disturbed`` where
            other work or a change of clock rate had to be divided out; empty where nobody can tell.
    """

    median_ms: float
    p10_ms: float
    p90_ms: float
    repeats: int
    drift: float = 0.0
    quality: str = "ok"


class LatencyMeter(Protocol):
    """Times modules on one target.

    A target that knows latency without timing says so by one more attribute ``metrics``, a mapping from a metric's
    class to what replaces it (see `dynas.core.metric.follow`). One that reads a file keeps its SHA-256 as ``digest``.
    One with a runtime of its own has a method ``deploy(subnet, bench)``, which turns a sub-network into a module that
    runs there and that all metrics measure; ``precisions`` names those that it can compute in where there are others
    than fp32; ``port(module, inputs)`` then does so for any module, without data. One whose modules cannot take
    turns has an attribute ``group`` of 1, so that sub-networks are measured one by one. It may have a method
    ``check(bench)``, as metrics have; a method ``refer_to`` (see `TimingMeter`), if it watches a reference; and
    ``facts``, a mapping of what run.json shall say of the target. One that is not this machine's processor says which
    it is by ``device``: while a latency is measured on it, nothing else is (see `dynas.system.device_lock`).

    Attributes:
        batch_size: samples per forward pass.
    """

    batch_size: int

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Latency]:
        """Return one latency per module, each for a forward pass of its own inputs."""
        ...
