"""Latency on the CPU, measured in interleaved rounds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.benchmark import Timer

from dynas.errors import DynasError
from dynas.objectives import Values


@dataclass(frozen=True)
class Latency:
    """Wall time of one forward pass in milliseconds: median, 10 % and 90 % quantile over ``repeats`` timings."""

    median_ms: float
    p10_ms: float
    p90_ms: float
    repeats: int


class LatencyMeter(Protocol):
    """Times modules on one target.

    A target that knows latency without timing says so by one more attribute ``metrics``, a mapping from a metric's
    class to what replaces it (see `dynas.metrics.base.follow`). One that reads a file keeps its SHA-256 as ``digest``.
    One with a runtime of its own has a method ``deploy(subnet, bench)``, which turns a sub-network into a module that
    runs there and that all metrics measure; ``precisions`` names those that it can compute in where there are others
    than fp32; ``port(module, inputs)`` then does so for any module, without data. One whose modules cannot take
    turns has an attribute ``group`` of 1, so that sub-networks are measured one by one. It may have a method
    ``check(bench)``, as metrics have.

    Attributes:
        batch_size: samples per forward pass.
    """

    batch_size: int

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Latency]:
        """Return one latency per module, each for a forward pass of its own inputs."""
        ...


class CpuMeter:
    """Times modules on the CPU with torch.utils.benchmark.

    All modules of a call take turns in a new random order each round, so that a slow phase of the machine
    hits them alike. A module is done once the interval of its median is narrow enough. Two untimed
    passes before each timing, made by torch's Timer, bring a module back into the caches.

    Args:
        threads: intra-operation threads; two on a busy host can be far slower than one.
        batch_size: samples per forward pass.
        warmup: forward passes before the first timing of a module.
        min_repeats: timings per module at least.
        max_repeats: timings per module at most.
        precision: half width of the interval, as a share of the median, at which a module is done.

    Raises:
        DynasError: a number makes no sense on this machine.
    """

    def __init__(
        self, threads: int, batch_size: int, warmup: int, min_repeats: int, max_repeats: int, precision: float
    ) -> None:
        cores = os.cpu_count() or 1
        if not 1 <= threads <= cores:
            raise DynasError(f"hardware.threads={threads}: this machine has {cores} cores, give 1 to {cores}")
        if batch_size < 1 or warmup < 0 or not 2 <= min_repeats <= max_repeats or precision <= 0:
            raise DynasError(
                "hardware needs batch_size >= 1, warmup >= 0, 2 <= min_repeats <= max_repeats and precision > 0, "
                f"got {batch_size}, {warmup}, {min_repeats}, {max_repeats} and {precision}"
            )
        self.threads, self.batch_size, self.warmup = threads, batch_size, warmup
        self.min_repeats, self.max_repeats, self.precision = min_repeats, max_repeats, precision

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Latency]:
        """Return one latency per module, each for a forward pass of its own inputs."""
        order = np.random.default_rng(0)
        times: list[list[float]] = [[] for _ in modules]
        with torch.inference_mode():
            timers = [self._timer(module, own) for module, own in zip(modules, inputs, strict=True)]
            for timer in timers:
                if self.warmup:
                    timer.timeit(self.warmup)
            for _ in range(self.max_repeats):
                waiting = [index for index, taken in enumerate(times) if not self._known(taken)]
                if not waiting:
                    break
                for index in order.permutation(waiting):
                    times[index].append(1e3 * timers[index].timeit(1).median)
        return [summarise(taken) for taken in times]

    def _timer(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> Timer:
        return Timer("module(*inputs)", globals={"module": module, "inputs": inputs}, num_threads=self.threads)

    def _known(self, taken: Sequence[float]) -> bool:
        return len(taken) >= self.min_repeats and median_interval(np.array(taken)) <= self.precision


def median_interval(times: Values) -> float:
    """Return the half width of the median's interval of about 90 % confidence, as a share of the median.

    McGill, Tukey and Larsen 1978 (doi 10.1080/00031305.1978.10479236): 1.57 interquartile ranges over the root
    of the number of timings; outliers do not move it.
    """
    low, median, high = np.quantile(times, [0.25, 0.5, 0.75])
    return float(1.57 * (high - low) / np.sqrt(len(times)) / median)


def summarise(times: Sequence[float]) -> Latency:
    """Return median and quantiles of timings in milliseconds, to the nanosecond."""
    low, median, high = np.round(np.quantile(times, [0.1, 0.5, 0.9]), 6)
    return Latency(float(median), float(low), float(high), len(times))
