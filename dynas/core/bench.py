"""The bench: extracts sub-networks, brings them to the hardware and lets every metric measure them."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dynas.core.data import ClassificationData
from dynas.core.evaluation import Measurement
from dynas.core.meter import LatencyMeter
from dynas.core.metric import CountedMetric, MeasuredMetric, Metric, Reading
from dynas.core.space import Genotypes
from dynas.core.supernet import Supernet
from dynas.errors import DynasError, reason
from dynas.system.device_lock import CPU, turn

Outcome = Reading | str  # a reading, or the reason why there is none


@dataclass(frozen=True)
class Bench:
    """Everything that metrics need.

    Attributes:
        supernet: where sub-networks come from.
        data: what quality is measured on.
        meter: what latency is measured with.
        metrics: one metric per objective, in column order.
        group: sub-networks that are measured together, in interleaved rounds.
        precision: what sub-networks that do not choose their own are computed in.
    """

    supernet: Supernet
    data: ClassificationData
    meter: LatencyMeter
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    group: int = 5
    precision: str = "fp32"

    def __setstate__(self, state: dict[str, object]) -> None:
        """Arrive in a worker: latencies are timed beside the same reference there."""
        from dynas.metrics.latency import watch_reference

        self.__dict__.update(state)
        if (first_ms := getattr(self.meter, "first_ms", None)) is not None:
            watch_reference(self, first_ms)

    @property
    def device(self) -> str:
        """What sub-networks are measured on."""
        return str(getattr(self.meter, "device", CPU))

    @property
    def precisions(self) -> tuple[str, ...]:
        """What sub-networks are computed in."""
        return tuple(getattr(self.supernet, "precision_choices", None) or (self.precision,))

    @property
    def extras(self) -> tuple[str, ...]:
        """Columns that the metrics fill besides the objectives."""
        measured = [metric for metric in self.metrics.values() if isinstance(metric, MeasuredMetric)]
        return tuple(name for metric in measured for name in metric.extras)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the metrics want said of their values."""
        return tuple(note for metric in self.metrics.values() if (note := getattr(metric, "note", "")))

    @property
    def noisy(self) -> tuple[str, ...]:
        """Objectives whose measurements vary from one to the next."""
        return tuple(name for name, metric in self.metrics.items() if getattr(metric, "noisy", False))

    @property
    def together(self) -> int:
        """Number of sub-networks that are measured together: the hardware's choice, where it has one."""
        return getattr(self.meter, "group", self.group)

    def only(self, names: Collection[str]) -> Bench:
        """Return the bench that measures just these objectives."""
        return replace(self, metrics={name: metric for name, metric in self.metrics.items() if name in names})

    def check(self) -> None:
        """Raise DynasError where the parts do not fit together."""
        known = getattr(self.meter, "precisions", ("fp32",))
        if unknown := [precision for precision in self.precisions if precision not in known]:
            raise DynasError(
                f"this hardware computes in {' or '.join(known)} only, not in {unknown[0]}: choose hardware=openvino "
                "for sub-networks in fp32 or int8, or precision=fp32 without supernet.precision_choices"
            )
        for part in (self.meter, *self.metrics.values()):
            if check := getattr(part, "check", None):
                check(self)

    def deployed(self, genotype: NDArray[np.int64]) -> nn.Module:
        """Return the sub-network of a canonical genotype ``(G,)`` as it runs on the hardware."""
        deploy = getattr(self.meter, "deploy", in_torch)
        subnet: nn.Module = deploy(self.supernet.subnet(self.supernet.space.decode(genotype)), self)
        return subnet

    def measure(self, genotypes: Genotypes) -> Iterator[Measurement]:
        """Yield one measurement per canonical genotype ``(n, G)``, in order, group by group."""
        for start in range(0, len(genotypes), self.together):
            yield from self._measure_group(genotypes[start : start + self.together])

    def _measure_group(self, genotypes: Genotypes) -> list[Measurement]:
        start = time.perf_counter()
        outcomes: list[list[Outcome]] = [[] for _ in genotypes]
        with turn(self.device, alone=False):
            subnets = self._extract(genotypes)
        for name, metric in self.metrics.items():
            if isinstance(metric, CountedMetric):
                column: Sequence[Outcome] = [Reading(float(count)) for count in metric.count(self.supernet, genotypes)]
            else:
                with turn(self.device, alone=name in self.noisy):
                    column = self._read(metric, subnets)
            for row, outcome in zip(outcomes, column, strict=True):
                row.append(outcome)
        seconds = (time.perf_counter() - start) / len(genotypes)
        return [to_measurement(row, seconds) for row in outcomes]

    def _extract(self, genotypes: Genotypes) -> list[nn.Module | str]:
        """Return sub-networks as they run, or the reason why one could not be made; none where all is counted."""
        if all(isinstance(metric, CountedMetric) for metric in self.metrics.values()):
            return []
        subnets: list[nn.Module | str] = []
        for genotype in genotypes:
            try:
                subnets.append(self.deployed(genotype))
            except Exception as error:  # a user's supernet may raise anything; only this candidate fails
                subnets.append(reason(error))
        return subnets

    def _read(self, metric: MeasuredMetric, subnets: Sequence[nn.Module | str]) -> list[Outcome]:
        """Let a metric measure all sub-networks; where one fails, measure them one by one."""
        usable = [subnet for subnet in subnets if not isinstance(subnet, str)]
        try:
            readings: list[Outcome] = list(metric.measure(usable, self)) if usable else []
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


def in_torch(subnet: nn.Module, bench: Bench | None = None) -> nn.Module:
    """Return a sub-network as torch runs it fastest on the CPU."""
    return subnet.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def to_measurement(row: Sequence[Outcome], seconds: float) -> Measurement:
    """Join the outcomes of one candidate; what failed or is not finite becomes NaN with its reason."""
    values: list[float] = []
    extras: dict[str, float | str] = {}
    errors: list[str] = []
    for outcome in row:
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
