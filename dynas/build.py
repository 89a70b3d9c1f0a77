"""The only place that makes objects from a config."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from hydra import compose
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig

from dynas.algos.base import AlgorithmFactory
from dynas.bench import Bench
from dynas.errors import DynasError
from dynas.evaluate import Problem
from dynas.metrics.base import CountedMetric, MeasuredMetric, Metric, follow
from dynas.objectives import Objective

log = logging.getLogger(__name__)


def build(config: DictConfig, part: str) -> Any:
    """Return the object that ``config.<part>`` describes.

    Raises:
        DynasError: its class refuses the settings, or cannot be found.
    """
    try:
        return instantiate(config[part], _convert_="all")
    except InstantiationException as error:
        log.debug("building %s failed", part, exc_info=True)
        cause = error.__cause__
        if isinstance(cause, DynasError):
            raise cause from error
        detail = " ".join(str(cause or error).split())
        raise DynasError(f"cannot build {part} from its config: {detail}") from error


def option(group: str, name: str) -> DictConfig:
    """Return the config of one option of a group, with its defaults; works where Hydra has been started.

    Raises:
        hydra.errors.HydraException: there is no such option.
    """
    chosen: DictConfig = compose("search", overrides=[f"{group}={name}"])[group]
    return chosen


def build_problem(config: DictConfig) -> tuple[Problem, Bench]:
    """Return what is searched and the bench that measures it.

    Raises:
        DynasError: no objective is chosen, an objective has no usable metric, or the parts do not fit together.
    """
    if not config.objectives:
        raise DynasError("no objectives chosen: give objectives=top1_latency or a list such as objectives=[top1,macs]")
    supernet, data, meter = (build(config, part) for part in ("supernet", "data", "hardware"))
    check_classes(config, data)
    metrics = {name: build_metric(config, name, (data, meter)) for name in config.objectives}
    counted = {name: metric for name, metric in metrics.items() if isinstance(metric, CountedMetric)}
    for metric in counted.values():
        metric.count(supernet, supernet.space.smallest()[None])  # so that a misfit is told before anything is measured
    exact: Mapping[str, Any] = {
        name: partial(metric.count, supernet) for name, metric in counted.items() if metric.exact
    }
    objectives = tuple(
        Objective(name, entry.direction, getattr(metrics[name], "unit", entry.unit), entry.bound, name in exact)
        for name, entry in config.objectives.items()
    )
    return Problem(supernet.space, objectives, exact), Bench(supernet, data, meter, metrics, config.group)


def build_metric(config: DictConfig, name: str, parts: Sequence[object]) -> Metric:
    """Return the metric of an objective, in the version that the data or the hardware (``parts``) brings.

    Raises:
        DynasError: what the config names is no metric.
    """
    metric = build(config.objectives[name], "metric")
    if not isinstance(metric, MeasuredMetric | CountedMetric):
        raise DynasError(
            f"objectives.{name}.metric is no metric: it needs 'extras' and 'measure', or 'exact' and 'count'"
        )
    return follow(metric, parts)


def check_classes(config: DictConfig, data: Any) -> None:
    """Raise DynasError where supernet and data disagree on the number of classes."""
    wanted = config.supernet.get("classes")
    if wanted is not None and wanted != data.classes:
        raise DynasError(
            f"supernet.classes={wanted} but the data has {data.classes} classes: "
            f"give supernet.classes={data.classes} with weights trained for them, or other data"
        )


def build_algorithm(config: DictConfig, problem: Problem) -> AlgorithmFactory:
    """Return the algorithm's factory.

    Raises:
        DynasError: it refuses its settings, the number of objectives or the space.
    """
    factory: AlgorithmFactory = build(config, "algo")
    try:
        factory(problem.space, len(problem.objectives), np.random.default_rng(0))
    except TypeError as error:
        raise DynasError(f"cannot build algo from its config: {error}") from error
    return factory


def check_numbers(config: DictConfig) -> None:
    """Raise DynasError where the frame's numbers make no sense or the budget does not pay the first population."""
    if config.seed < 0 or config.group < 1:
        raise DynasError(f"seed={config.seed} group={config.group}: give a seed of 0 or more and a group of 1 or more")
    part = "mode" if config.mode.get("population") else "algo"
    population = config[part].get("population") or 1
    if config.budget < population:
        raise DynasError(
            f"budget={config.budget} is smaller than {part}.population={population}: "
            f"give budget={population} or more, or a smaller {part}.population"
        )
