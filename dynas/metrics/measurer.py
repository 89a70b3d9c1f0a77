"""Lets every metric measure what a bench extracts, group by group."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from torch import nn

from dynas.core.activity import doing, each
from dynas.core.bench import Bench
from dynas.core.evaluation import Measurement
from dynas.core.known import Readings, source_column
from dynas.core.meter import WatchesReference, settled_pace
from dynas.core.metric import CountedMetric, MeasuredMetric, Metric, Reading
from dynas.core.space import Genotypes
from dynas.errors import DynasError, reason
from dynas.system.device_lock import turn

EXTRACTING = "extracting"  # what a journal says meanwhile (see `dynas.core.activity`)
Outcome = Reading | str  # a reading, or the reason why there is none
Deployed = Callable[[NDArray[np.int64]], nn.Module]  # from a canonical genotype ``(G,)`` to what is measured of it


@dataclass(frozen=True)
class Measurer:
    """Extracts sub-networks, brings them to the hardware and lets every metric measure them.

    Attributes:
        bench: what is measured with.
        metrics: one metric per objective, in column order.
        together: sub-networks that are measured together, in interleaved rounds, where the hardware has no choice of
            its own.
        known: what is taken over instead of being measured.
    """

    bench: Bench
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    together: int = 5
    known: Readings = field(default_factory=dict)

    def __setstate__(self, state: dict[str, object]) -> None:
        """Arrive in a worker: latencies are timed beside the same reference there."""
        self.__dict__.update(state)
        if isinstance(self.bench.meter, WatchesReference) and self.bench.meter.first_ms is not None:
            self.watch_reference(self.bench.meter.first_ms)

    @property
    def extras(self) -> tuple[str, ...]:
        """Columns that the metrics fill besides the objectives."""
        sources = [source_column(name) for name in self.known if name in self.metrics]
        return (*(name for metric in self._measured.values() for name in metric.extras), *sources)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the metrics want said of their values."""
        return tuple(metric.note for metric in self.metrics.values() if metric.note)

    @property
    def noisy(self) -> tuple[str, ...]:
        """Objectives whose measurements vary from one to the next."""
        return tuple(name for name, metric in self._measured.items() if metric.noisy)

    @property
    def judging(self) -> tuple[str, ...]:
        """Objectives that say how well the task is done, which other weights change."""
        return tuple(name for name, one in self._measured.items() if one.task is not None and not one.times)

    @property
    def at_once(self) -> int:
        """Number of sub-networks that are measured together on this hardware."""
        return self.bench.meter.together or self.together

    @property
    def _measured(self) -> dict[str, MeasuredMetric]:
        return {name: metric for name, metric in self.metrics.items() if isinstance(metric, MeasuredMetric)}

    def only(self, names: Collection[str]) -> Measurer:
        """Return what measures just these objectives."""
        return replace(self, metrics={name: metric for name, metric in self.metrics.items() if name in names})

    def check(self) -> None:
        """Raise DynasError where the parts do not fit together."""
        bench = self.bench
        if unknown := [precision for precision in bench.precisions if precision not in bench.meter.precisions]:
            raise DynasError(
                f"this hardware computes in {' or '.join(bench.meter.precisions)} only, not in {unknown[0]}: choose "
                "hardware=openvino for sub-networks in fp32 or int8, or precision=fp32 without "
                "supernet.precision_choices"
            )
        for name, metric in self.metrics.items():
            check_task(name, metric, bench)
            check_precision(name, metric, bench)
        if self._measured or not self.metrics:  # where all is counted, nothing ever runs on it
            bench.meter.check(bench)
        for metric in self.metrics.values():
            metric.check(bench)

    def watch_reference(self, first_ms: float | None = None) -> float | None:
        """Let the meter time a sub-network of middle size beside all others, to tell how fast the machine is just then.

        Args:
            first_ms: what that sub-network took when the run began; None: it begins now.

        Returns:
            what it took at first, in milliseconds; None where nothing is timed or the meter watches no reference.

        Raises:
            DynasError: it cannot be made or timed.
        """
        bench, meter = self.bench, self.bench.meter
        if not isinstance(meter, WatchesReference) or not any(metric.times for metric in self._measured.values()):
            return None
        try:
            ((module, inputs),) = bench.to_time([bench.deployed(bench.supernet.space.middle())], meter.batch_size)
            with turn(meter.device, alone=True) if first_ms is None else nullcontext():  # nothing is timed then
                if first_ms is None:
                    return settled_pace(meter, module, inputs)
                return meter.refer_to(module, inputs, first_ms)
        except DynasError:
            raise
        except Exception as error:  # a user's supernet may raise anything
            raise DynasError(
                f"the sub-network of middle options of '{bench.supernet.name}', beside which all others are timed, "
                f"fails ({reason(error)}): mend it, or choose objectives without latency and throughput"
            ) from error

    def measure(self, genotypes: Genotypes) -> Iterator[Measurement]:
        """Yield one measurement per canonical genotype ``(n, G)``, in order, group by group."""
        for start in range(0, len(genotypes), self.at_once):
            group = genotypes[start : start + self.at_once]
            yield from self._measure_together(group, self.bench.deployed, self._known(group))

    def measure_other(self, genotype: NDArray[np.int64], subnet: nn.Module) -> Measurement:
        """Return the measurement of a canonical genotype ``(G,)`` with other weights, those of a stand-alone module."""
        nothing: dict[str, list[Outcome | None]] = {name: [None] for name in self._measured}
        made = self._measure_together(genotype[None], lambda _: self.bench.meter.deploy(subnet, self.bench), nothing)
        return made[0]

    def _measure_together(
        self, genotypes: Genotypes, deployed: Deployed, columns: dict[str, list[Outcome | None]]
    ) -> list[Measurement]:
        seconds = np.zeros(len(genotypes))
        wanted = sorted({row for column in columns.values() for row in gaps(column)})
        subnets: dict[int, nn.Module | str] = {}
        if wanted:
            with self._turn(alone=False), doing(EXTRACTING), timed(seconds, wanted):
                subnets = dict(zip(wanted, self._extract(genotypes[wanted], deployed), strict=True))
        for name, metric in self.metrics.items():
            if isinstance(metric, CountedMetric):
                with timed(seconds, range(len(genotypes))):
                    counts = metric.count(self.bench.supernet, genotypes)
                columns[name] = [Reading(float(count)) for count in counts]
            elif isinstance(metric, MeasuredMetric) and (rows := gaps(columns[name])):
                with self._turn(alone=name in self.noisy), doing(measuring(name)), timed(seconds, rows):
                    found = self._read(metric, [subnets[row] for row in rows])
                for row, outcome in zip(rows, found, strict=True):
                    columns[name][row] = outcome
        table = zip(*(columns[name] for name in self.metrics), strict=True)
        return [to_measurement(row, spent) for row, spent in zip(table, seconds.tolist(), strict=True)]

    def _known(self, genotypes: Genotypes) -> dict[str, list[Outcome | None]]:
        """Return what is known of canonical genotypes ``(n, G)`` for each measured metric, None where nothing is."""
        keys = self.bench.supernet.space.keys(genotypes) if self.known else [""] * len(genotypes)
        return {name: [self.known.get(name, {}).get(key) for key in keys] for name in self._measured}

    @contextmanager
    def _turn(self, alone: bool) -> Iterator[None]:
        """Use the hardware in the block, and tell while it is waited for."""
        with ExitStack() as stack:
            with doing(f"waiting for other work on {self.bench.meter.device}"):
                stack.enter_context(turn(self.bench.meter.device, alone))
            yield

    def _extract(self, genotypes: Genotypes, deployed: Deployed) -> list[nn.Module | str]:
        """Return sub-networks as they run, or the reason why one could not be made."""
        subnets: list[nn.Module | str] = []
        for genotype in each(list(genotypes)):
            try:
                subnets.append(deployed(genotype))
            except Exception as error:  # a user's supernet may raise anything; only this candidate fails
                subnets.append(reason(error))
        return subnets

    def _read(self, metric: MeasuredMetric, subnets: Sequence[nn.Module | str]) -> list[Outcome]:
        """Let a metric measure all sub-networks; where one fails, measure them one by one."""
        usable = [subnet for subnet in subnets if not isinstance(subnet, str)]
        try:
            readings: list[Outcome] = list(metric.measure(usable, self.bench)) if usable else []
            if len(readings) != len(usable):
                raise ValueError(
                    f"{type(metric).__name__} gave {len(readings)} readings for {len(usable)} sub-networks"
                )
        except DynasError:  # the settings are at fault, not a candidate
            raise
        except Exception as error:  # a metric may raise anything; only the candidates at fault fail
            if len(usable) > 1:
                return [self._read(metric, [subnet])[0] for subnet in subnets]
            readings = [reason(error)]
        answers = iter(readings)
        return [subnet if isinstance(subnet, str) else next(answers) for subnet in subnets]


@contextmanager
def timed(seconds: NDArray[np.float64], rows: Sequence[int]) -> Iterator[None]:
    """Share out the wall time of the block among some rows of ``seconds`` ``(n,)``."""
    start = time.perf_counter()
    yield
    seconds[rows] += (time.perf_counter() - start) / len(rows)


def gaps(column: Sequence[Outcome | None]) -> list[int]:
    """Return the rows that have no outcome yet."""
    return [row for row, outcome in enumerate(column) if outcome is None]


def measuring(name: str) -> str:
    """Return what a journal says while an objective is measured."""
    return f"measuring {name}"


def to_measurement(row: Sequence[Outcome | None], seconds: float) -> Measurement:
    """Join the outcomes of one candidate; what failed or is not finite becomes NaN with its reason."""
    values: list[float] = []
    extras: dict[str, float | str] = {}
    errors: list[str] = []
    for outcome in row:
        assert outcome is not None
        if isinstance(outcome, str):
            values.append(np.nan)
            errors.append(outcome)
        elif not np.isfinite(outcome.value):
            values.append(np.nan)
            errors.append(f"measured {outcome.value}")
        else:
            values.append(outcome.value)
            extras.update(outcome.extras)
    return Measurement(tuple(values), extras, seconds, "; ".join(dict.fromkeys(errors)))


def check_task(name: str, metric: Metric, bench: Bench) -> None:
    """Raise DynasError where a metric judges another task than that of the data or of the supernet."""
    if metric.task is None:
        return
    if bench.data.task != metric.task:
        raise DynasError(
            f"objective {name} judges {metric.task}, but the data are for {bench.data.task}: give data for "
            f"{metric.task}, or objectives={bench.data.quality}"
        )
    if bench.supernet.task != metric.task:
        raise DynasError(
            f"objective {name} judges {metric.task}, but supernet '{bench.supernet.name}' is made for "
            f"{bench.supernet.task}: give a supernet for {metric.task}, or other objectives and data"
        )


def check_precision(name: str, metric: Metric, bench: Bench) -> None:
    """Raise DynasError where a metric's values hold for another precision than that of the sub-networks."""
    held = metric.precision if isinstance(metric, CountedMetric) else None
    if held is not None and bench.precisions != (held,):
        raise DynasError(
            f"the values of {name} are those of sub-networks in {held}, the search asks for "
            f"{' and '.join(bench.precisions)}: give precision={held} and no supernet.precision_choices, or other data"
        )
