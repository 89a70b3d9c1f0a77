"""When a module is warm and when enough timings of it are taken: the same rules on every processor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dynas.core.objectives import Values
from dynas.errors import DynasError
from dynas.system.ticker import quiet

NEAR = 0.03  # how much longer than the shortest timings one may take that nothing disturbed
SETTLED = 0.02  # how far apart the times of windows may be for the pace of a machine to count as settled
WINDOWS = 6, 16  # of timings at least and at most until the pace has settled
FEWEST = 2  # timings of a window
GAIN = 0.05  # by how much a timing must be shorter than all before it for a module to count as still warming up


@dataclass(frozen=True)
class Sample:
    """How long one pass took in milliseconds, and whether other work took the processor away meanwhile."""

    ms: float
    interrupted: bool = False


Sampler = Callable[[], Sample]  # runs a module and times one pass


@dataclass
class Taken:
    """Everything that was timed of one module.

    Attributes:
        timings: one per round.
        paces: how many times slower than at first the reference was in the same rounds; all 1 without one.
        seconds: wall time that they took in all.
    """

    timings: list[Sample]
    paces: list[float]
    seconds: float = 0.0

    @property
    def times(self) -> Values:
        """Milliseconds of each timing at the machine's first pace."""
        return np.array([timing.ms for timing in self.timings]) / self.paces

    @property
    def pace(self) -> float:
        """Median of the paces."""
        return float(np.median(self.paces))

    @property
    def interrupted(self) -> float:
        """Share of the timings that were interrupted."""
        return float(np.mean([timing.interrupted for timing in self.timings]))


@dataclass(frozen=True)
class InterleavedRounds:
    """Times modules in turns, in a new random order each round, so that a slow phase of the machine hits them alike.

    A module is warm once a timing is no longer 5 % shorter than all before it; these timings are thrown away. It is
    done once the interval of its median is narrow enough, or as soon as it took ``max_repeats`` or ``max_seconds``.

    Attributes:
        warmup: timings of a module at most that are thrown away.
        min_repeats: timings per module at least.
        max_repeats: timings per module at most.
        tolerance: half width of the interval, as a share of the median, at which a module is done.
        max_seconds: wall time of a module's timings after which it is done, however wide its interval.

    Raises:
        DynasError: a number makes no sense.
    """

    warmup: int
    min_repeats: int
    max_repeats: int
    tolerance: float
    max_seconds: float

    def __post_init__(self) -> None:
        if self.warmup < 0 or not 2 <= self.min_repeats <= self.max_repeats:
            raise DynasError(
                "hardware needs warmup >= 0 and 2 <= min_repeats <= max_repeats, "
                f"got {self.warmup}, {self.min_repeats} and {self.max_repeats}"
            )
        if self.max_seconds <= 0 or self.tolerance <= 0:
            raise DynasError(
                f"hardware needs max_seconds > 0 and tolerance > 0, got {self.max_seconds} and {self.tolerance}"
            )

    def __call__(
        self, samplers: Sequence[Sampler], reference: Sampler | None = None, first_ms: float = 1.0
    ) -> list[Taken]:
        """Return what was taken of each module.

        Args:
            samplers: one per module.
            reference: times a fixed module once per round, to tell how fast the machine is just then.
            first_ms: what the reference took at first.
        """
        order = np.random.default_rng(0)
        taken = [Taken([], []) for _ in samplers]
        for sampler in [*samplers, *([reference] if reference else [])]:
            self.warm(sampler)
        while waiting := [index for index, one in enumerate(taken) if not self.done(one)]:
            place = order.integers(len(waiting) + 1)  # of the reference, in the middle of the others
            turns = order.permutation(waiting)
            before, after = turns[:place], turns[place:]
            self.take(samplers, taken, before)
            pace = timed(reference).ms / first_ms if reference else 1.0
            self.take(samplers, taken, after)
            for index in waiting:
                taken[index].paces.append(pace)
        return taken

    def settle(self, sampler: Sampler) -> float:
        """Return what a module takes in milliseconds at the pace that the machine keeps where nothing disturbs it.

        It is timed in windows of a quarter of ``max_seconds`` until the three fastest agree: other work on a machine
        slows it down for seconds on end. Where they never do, the fastest count all the same.
        """
        self.warm(sampler)
        least, most = WINDOWS
        windows: list[Values] = []
        while len(windows) < most:
            windows = sorted([*windows, self.window(sampler)], key=undisturbed)
            if len(windows) >= least and undisturbed(windows[2]) <= (1 + SETTLED) * undisturbed(windows[0]):
                break
        return undisturbed(np.concatenate(windows[:3]))

    def window(self, sampler: Sampler) -> Values:
        """Return milliseconds of all timings of a module in a quarter of ``max_seconds``, `FEWEST` at least."""
        times: list[float] = []
        end = time.perf_counter() + self.max_seconds / 4
        while len(times) < FEWEST or time.perf_counter() < end:
            times.append(timed(sampler).ms)
        return np.array(times)

    def take(self, samplers: Sequence[Sampler], taken: Sequence[Taken], turns: Iterable[int]) -> None:
        """Time some modules once each."""
        for index in turns:
            start = time.perf_counter()
            taken[index].timings.append(timed(samplers[index]))
            taken[index].seconds += time.perf_counter() - start

    def warm(self, sampler: Sampler) -> None:
        """Run a module until it is warm."""
        shortest = np.inf
        for _ in range(self.warmup):
            ms = timed(sampler).ms
            if ms >= (1 - GAIN) * shortest:
                return
            shortest = min(shortest, ms)

    def done(self, taken: Taken) -> bool:
        """Tell whether a module needs no more timings."""
        repeats = len(taken.timings)
        if repeats < self.min_repeats:
            return False
        return repeats >= self.max_repeats or taken.seconds >= self.max_seconds or self.precise(taken.times)

    def precise(self, times: Values) -> bool:
        """Tell whether the median of times ``(n,)`` is known well enough."""
        return median_interval(times) <= self.tolerance


def timed(sampler: Sampler) -> Sample:
    """Time a module once, while nothing is drawn on the screen by another thread."""
    with quiet():
        return sampler()


def median_interval(times: Values) -> float:
    """Return the half width of the median's interval of about 90 % confidence, as a share of the median.

    McGill, Tukey and Larsen 1978 (doi 10.1080/00031305.1978.10479236): 1.57 interquartile ranges over the root
    of the number of timings; outliers do not move it.
    """
    low, median, high = np.quantile(times, [0.25, 0.5, 0.75])
    return float(1.57 * (high - low) / np.sqrt(len(times)) / median)


def undisturbed(times: Values) -> float:
    """Return the median of the times ``(n,)`` that are about as short as the shortest ones are.

    Other work on a machine makes timings longer, never shorter, and often most of them.
    """
    return float(np.median(times[times <= (1 + NEAR) * np.quantile(times, 0.05)]))
