"""Latency and throughput of a sub-network on the configured hardware."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from torch import Tensor, nn

from dynas.core.metric import Reading
from dynas.errors import DynasError, reason
from dynas.system.device_lock import turn

if TYPE_CHECKING:
    from dynas.core.bench import Bench
    from dynas.core.meter import Latency as Timing


Timed = tuple[nn.Module, tuple[Tensor, ...]]  # what is timed of a sub-network, and its inputs


def to_time(subnets: Sequence[nn.Module], bench: Bench, batch_size: int) -> list[Timed]:
    """Return what a latency times of each sub-network, with inputs of ``batch_size`` samples.

    A supernet whose networks are used by more than one forward pass says so by a method ``timed``, which turns a
    sub-network into the module to be timed.
    """
    timed = getattr(bench.supernet, "timed", lambda subnet: subnet)
    return [(timed(subnet), bench.supernet.example_inputs(batch_size, subnet)) for subnet in subnets]


def time_all(subnets: Sequence[nn.Module], bench: Bench, batch_size: int) -> list[Timing]:
    """Time all sub-networks in interleaved rounds, so that a disturbance hits them alike."""
    pairs = to_time(subnets, bench, batch_size)
    return bench.meter([module for module, _ in pairs], [inputs for _, inputs in pairs])


def watch_reference(bench: Bench, first_ms: float | None = None) -> float | None:
    """Let the meter time a sub-network of middle size beside all others, to tell how fast the machine is just then.

    Args:
        bench: what measures.
        first_ms: what that sub-network took when the run began; None: it begins now.

    Returns:
        what it took at first, in milliseconds; None where nothing is timed or the meter watches no reference.

    Raises:
        DynasError: it cannot be made or timed.
    """
    times = any(isinstance(metric, Latency | Throughput) for metric in bench.metrics.values())
    if not times or not hasattr(bench.meter, "refer_to"):
        return None
    try:
        ((module, inputs),) = to_time([bench.deployed(bench.supernet.space.middle())], bench, bench.meter.batch_size)
        with turn(bench.device, alone=True) if first_ms is None else nullcontext():  # nothing is timed then
            first: float = bench.meter.refer_to(module, inputs, first_ms)
    except DynasError:
        raise
    except Exception as error:  # a user's supernet may raise anything
        raise DynasError(
            f"the sub-network of middle options of '{bench.supernet.name}', beside which all others are timed, "
            f"fails ({reason(error)}): mend it, or choose objectives without latency and throughput"
        ) from error
    return first


class Latency:
    """Median time of one forward pass, with its 10 % and 90 % quantiles and what is to be said of it."""

    noisy = True
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
