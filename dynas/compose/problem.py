"""What a config searches: its objectives, and what measures them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from omegaconf import DictConfig

from dynas.compose.build import build, build_option
from dynas.compose.parts import build_meter, build_parts
from dynas.core.activity import doing
from dynas.core.bench import Bench, Meter
from dynas.core.data import Data
from dynas.core.metric import CountedMetric, MeasuredMetric, Metric
from dynas.core.objectives import Objective
from dynas.core.problem import Problem
from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.metrics.measurer import Measurer


def build_problem(config: DictConfig) -> tuple[Problem, Measurer]:
    """Return what is searched and what measures it.

    Raises:
        DynasError: no objective is chosen, an objective has no usable metric, or the parts do not fit together.
    """
    check_objectives(config)
    return problem_of(config, *build_parts(config))


def check_objectives(config: DictConfig) -> None:
    """Raise DynasError where no objective is chosen, or one is no mapping."""
    if not config.objectives:
        raise DynasError("no objectives chosen: give objectives=top1_latency or a list such as objectives=[top1,macs]")
    for name, entry in config.objectives.items():
        if not isinstance(entry, DictConfig):
            raise DynasError(f"objectives.{name}={entry}: an objective is a mapping; choose by objectives=[top1,macs]")


def problem_of(config: DictConfig, data: Data, supernet: Supernet) -> tuple[Problem, Measurer]:
    """Return what is searched and what measures it, from data and supernet; as `build_problem` does otherwise."""
    meter = build_meter(config, supernet)
    metrics = {name: build_metric(config, name, data, meter) for name in config.objectives}
    measurer = Measurer(Bench(supernet, data, meter, config.precision), metrics, config.together)
    with doing("checking that the parts fit together"):
        measurer.check()
    counted = {name: metric for name, metric in metrics.items() if isinstance(metric, CountedMetric)}
    for metric in counted.values():
        metric.count(supernet, supernet.space.smallest()[None])  # so that a misfit is told before anything is measured
    exact: Mapping[str, Any] = {
        name: partial(metric.count, supernet) for name, metric in counted.items() if metric.exact
    }
    shares = {name: share for name, entry in config.objectives.items() if (share := share_of(entry.bound)) is not None}
    objectives = tuple(
        Objective(
            name,
            entry.direction,
            metrics[name].unit or entry.unit,
            None if name in shares else entry.bound,
            name in exact,
        )
        for name, entry in config.objectives.items()
    )
    known = supernet.original
    original = None if known is None else supernet.space.canonical(supernet.space.encode(known)[None])[0]
    if shares and original is None:
        name, share = next(iter(shares.items()))
        raise DynasError(
            f"objectives.{name}.bound={share:g}x is a share of the original network, but supernet '{supernet.name}' is "
            "not made from one: give a number in the objective's unit"
        )
    return Problem(supernet.space, objectives, exact, original=original, shares=shares), measurer


def share_of(bound: object) -> float | None:
    """Return the share of the original's value that a bound such as ``0.6x`` is; None for anything else."""
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)x", bound.strip()) if isinstance(bound, str) else None
    return None if found is None else float(found[1])


def build_metric(config: DictConfig, name: str, *parts: Data | Meter) -> Metric:
    """Return the metric of an objective, or what stands in for it where a part brings that; the last that does counts.

    Raises:
        DynasError: what the config names is no metric.
    """
    own = build(config.objectives[name], "metric")
    metric: object = next((part.replaces[name] for part in reversed(parts) if name in part.replaces), own)
    if not isinstance(metric, MeasuredMetric | CountedMetric):
        raise DynasError(
            f"objectives.{name}.metric is no metric: {type(metric).__name__} does not inherit from "
            "dynas.core.metric.MeasuredMetric or dynas.core.metric.CountedMetric"
        )
    return metric


def build_quality(config: DictConfig, supernet: Supernet, data: Data) -> tuple[Objective, Measurer]:
    """Return the objective that says how well the task of ``data`` is done, and what measures just that.

    Hydra must have been started.

    Raises:
        DynasError: the supernet is not made for this task, or the objectives lack its quality.
    """
    name = data.quality
    if name not in config.objectives:
        raise DynasError(
            f"the data are judged by {name}, which the objectives lack: "
            f"give objectives={name} and a supernet that is made for it, or other data"
        )
    metric = build_metric(config, name, data)
    measurer = Measurer(Bench(supernet, data, build_option("hardware", "cpu")), {name: metric})
    measurer.check()
    entry = config.objectives[name]
    return Objective(name, entry.direction, metric.unit or entry.unit), measurer
