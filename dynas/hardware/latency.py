"""How modules are timed in turns beside a reference, and how that is done on the CPU."""

from __future__ import annotations

import sys
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.benchmark import Timer

from dynas.core.bench import Meter
from dynas.core.meter import Timing
from dynas.core.objectives import Values
from dynas.errors import DynasError
from dynas.hardware.interleaved import InterleavedRounds, Sample, Sampler, Taken
from dynas.system.machine import available_cores

if sys.platform != "win32":  # which does not tell how often a process was interrupted
    from resource import RUSAGE_SELF, getrusage

BATCH = 32  # samples of a forward pass where neither supernet nor config say how many
DISTURBED = 0.05  # how much slower than usual the reference is where a latency counts as disturbed
Module = Callable[..., Any]


class TimingMeter(Meter):
    """Times modules in interleaved rounds, beside a reference that tells how fast the machine is just then.

    A machine is slower while other programs run on it or when it is hot. Each timing is divided by how much longer
    than at first the reference took in the same round, so that latencies of one run can be compared. At first means at
    the settled pace of a machine that nothing disturbs, so that those of several runs can be compared, too.

    Args:
        batch_size: samples per forward pass; None: `BATCH`.
        warmup, min_repeats, max_repeats, tolerance, max_seconds: see `dynas.hardware.interleaved.InterleavedRounds`.

    Attributes:
        facts: what run.json shall say of the target.
        first_ms: what the reference took at first; None without one.

    Raises:
        DynasError: a number makes no sense.
    """

    def __init__(
        self,
        batch_size: int | None,
        warmup: int,
        min_repeats: int,
        max_repeats: int,
        tolerance: float,
        max_seconds: float = 2.0,
    ) -> None:
        batch_size = BATCH if batch_size is None else batch_size
        if batch_size < 1:
            raise DynasError(f"hardware.batch_size={batch_size}: give 1 or more")
        self.batch_size = batch_size
        self.rounds = InterleavedRounds(warmup, min_repeats, max_repeats, tolerance, max_seconds)
        self.facts: dict[str, object] = {"batch_size": batch_size}
        self.first_ms: float | None = None
        self._reference: Sampler | None = None
        self._paces = [1.0]  # at first and in each call

    @abstractmethod
    def sampler(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> Sampler:
        """Return what times one forward pass of a module."""

    @abstractmethod
    def conditions(self) -> AbstractContextManager[None]:
        """Return a context in which modules are timed."""

    def __getstate__(self) -> dict[str, object]:
        """Leave out what times the reference, which lives in this process (see `dynas.metrics.measurer.Measurer`)."""
        return self.__dict__ | {"_reference": None}

    def refer_to(self, module: nn.Module, inputs: tuple[Tensor, ...], first_ms: float | None = None) -> float:
        """Take the pace of the machine from a module, from now on (see `dynas.core.meter.WatchesReference`)."""
        with self.conditions():
            self._reference = self.sampler(module, inputs)
            if first_ms is None:
                first_ms = self.rounds.settle(self._reference)
        self.first_ms = first_ms
        return first_ms

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        """Return one latency per module, each for a forward pass of its own inputs."""
        with self.conditions():
            samplers = [self.sampler(module, own) for module, own in zip(modules, inputs, strict=True)]
            taken = self.rounds(samplers, self._reference, self.first_ms or 1.0)
        self._paces += [float(np.median([one.pace for one in taken]))] if taken else []
        return [self.summarise(one) for one in taken]

    def summarise(self, taken: Taken) -> Timing:
        """Return median and quantiles with what is to be said of them."""
        drift = round(taken.pace - 1, 4)
        if taken.interrupted > 0.5 or taken.pace > (1 + DISTURBED) * np.median(self._paces):
            quality = "disturbed"
        else:
            quality = "ok" if self.rounds.precise(taken.times) else "unsteady"
        return summarised(taken.times, drift, quality)


def summarised(times: Sequence[float] | Values, drift: float = 0.0, quality: str = "") -> Timing:
    """Return median and quantiles of timings in milliseconds, to the nanosecond."""
    low, median, high = np.round(np.quantile(times, [0.1, 0.5, 0.9]), 6)
    return Timing(float(median), float(low), float(high), len(times), drift, quality)


class CpuMeter(TimingMeter):
    """Times modules on the CPU with torch.utils.benchmark.

    One untimed pass before each timing, made by torch's Timer, brings a module back into the caches; Python collects
    no garbage meanwhile, and denormal numbers are flushed to zero. Where the system takes the processor away from a
    single thread, the timing is the processor time that it had instead of the wall time.

    Args:
        threads: intra-operation threads; two on a busy host can be far slower than one.
        batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds: see `TimingMeter`.

    Raises:
        DynasError: a number makes no sense on this machine.
    """

    def __init__(
        self,
        threads: int,
        batch_size: int | None,
        warmup: int,
        min_repeats: int,
        max_repeats: int,
        tolerance: float,
        max_seconds: float = 2.0,
    ) -> None:
        super().__init__(batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds)
        cores = available_cores()
        if not 1 <= threads <= cores:
            raise DynasError(f"hardware.threads={threads}: this process may use {cores} cores, give 1 to {cores}")
        self.threads = threads
        self.facts |= {"threads": threads, "denormals_flushed": flushes_denormals()}

    def sampler(self, module: Module, inputs: tuple[Tensor, ...]) -> Sampler:
        """Return what times one forward pass of a module."""
        clock = Clock()
        timer = Timer(
            "module(*inputs)",
            globals={"module": module, "inputs": inputs},
            num_threads=self.threads,
            timer=clock,
        )

        def take() -> Sample:
            wall = timer.blocked_autorange(min_run_time=0).median  # one pass untimed, one timed; timeit(1): two untimed
            cpu, interrupted = clock.between()
            return Sample(1e3 * (min(wall, cpu) if interrupted and self.threads == 1 else wall), interrupted)

        return take

    @contextmanager
    def conditions(self) -> Iterator[None]:
        """Compute in inference mode, on the threads that were asked for and without denormals; then as before."""
        threads, flushed = torch.get_num_threads(), denormals_are_flushed()
        torch.set_num_threads(self.threads)
        torch.set_flush_denormal(True)
        try:
            if torch.get_num_threads() != self.threads:
                raise DynasError(
                    f"hardware.threads={self.threads}, but torch computes on {torch.get_num_threads()} here: "
                    f"give hardware.threads={torch.get_num_threads()}"
                )
            with torch.inference_mode():
                yield
        finally:
            torch.set_flush_denormal(flushed)
            torch.set_num_threads(threads)


class Clock:
    """Wall time in seconds; keeps what a process's processor time and interruptions were at the last two readings."""

    def __init__(self) -> None:
        self._before = self._last = (0.0, 0)

    def __call__(self) -> float:
        """Read the clock."""
        interruptions = 0 if sys.platform == "win32" else getrusage(RUSAGE_SELF).ru_nivcsw
        self._before, self._last = self._last, (time.process_time(), interruptions)
        return time.perf_counter()

    def between(self) -> tuple[float, bool]:
        """Return the processor time between the last two readings in seconds, and whether the system interrupted."""
        return self._last[0] - self._before[0], self._last[1] > self._before[1]


def denormals_are_flushed() -> bool:
    """Tell whether torch takes denormal numbers for zero just now."""
    return float(torch.tensor(5e-324, dtype=torch.float64) * 1.0) == 0.0


def flushes_denormals() -> bool:
    """Tell whether this processor can take denormal numbers for zero; the setting stays as it is."""
    before = denormals_are_flushed()
    can = torch.set_flush_denormal(True)
    torch.set_flush_denormal(before)
    return can
