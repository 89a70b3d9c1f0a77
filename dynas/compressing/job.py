"""A compression, made from a config: what is compressed, what measures it, how far, and how it is tuned and written."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig

from dynas.compose.build import build
from dynas.compose.problem import build_metric, check_objectives, problem_of
from dynas.compressing.limits import Limit, read_limits
from dynas.compressing.timing import Clock
from dynas.core.data import ClassificationData, Data
from dynas.core.problem import Problem
from dynas.core.supernet import Supernet
from dynas.errors import DynasError, one_of
from dynas.export.formats import named
from dynas.metrics.measurer import Measurer
from dynas.supernets.prune import PruneSupernet
from dynas.training.tuning import Tuner

COSTS = ("latency", "size", "macs", "params")  # what the final comparison tells


@dataclass(frozen=True, eq=False)
class Job:
    """What is to be done.

    Attributes:
        config: the composed config of ``dynas compress``.
        folder: where everything goes.
        supernet: the network and its sub-networks.
        data: what quality is measured on.
        limits: the loosest first.
        problem: what is searched; its first objective judges sub-networks before they are tuned.
        measurer: measures it.
        tuner: fine-tunes.
        clock: shares out the time.
        formats: what is written; None: what ``dynas export`` writes by default.
    """

    config: DictConfig
    folder: Path
    supernet: Supernet
    data: ClassificationData
    limits: Sequence[Limit]
    problem: Problem
    measurer: Measurer
    tuner: Tuner
    clock: Clock
    formats: Sequence[str] | None

    @cached_property
    def final(self) -> Measurer:
        """What measures the costs that are compared at the end: the limits' and the usual ones."""
        names = dict.fromkeys([*self.limits[0].most, *(one for one in COSTS if one in self.config.objectives)])
        meter = self.measurer.bench.meter
        return replace(
            self.measurer, metrics={name: build_metric(self.config, name, self.data, meter) for name in names}
        )

    @property
    def units(self) -> dict[str, str]:
        """Units of these costs."""
        return {
            name: metric.unit or str(self.config.objectives[name].unit) for name, metric in self.final.metrics.items()
        }

    def names(self) -> list[str]:
        """Return what the genes are called: blocks, then groups; none for other supernets."""
        if not isinstance(self.supernet, PruneSupernet):
            return []
        elastic = self.supernet.elastic.choices
        return [*(block.name for block in elastic.blocks), *(group.name for group in elastic.groups)]


def make_job(config: DictConfig, data: Data, supernet: Supernet, folder: Path) -> Job:
    """Return what a config asks for; Hydra must have been started.

    Raises:
        DynasError: the parts do not fit together, or a setting makes no sense.
    """
    clock = Clock(config.max_minutes)
    check_objectives(config)
    check_settings(config)
    allowed = [name for name, one in config.objectives.items() if one.direction == "min" and name != config.judge]
    limits = read_limits(config.limit if isinstance(config.limit, str) else list(config.limit), allowed)
    if not isinstance(data, ClassificationData) or data.modelled:
        raise DynasError(f"{type(data).__name__} holds no images that a network could be tuned on: give data that do")
    if supernet.original is None:
        raise DynasError(
            f"supernet '{supernet.name}' is not made from one network that could be compressed: give "
            "model=<module>:<function>, or use dynas search"
        )
    formats = read_formats(config.formats)
    problem, measurer = problem_of(bounded(config, limits), data, supernet)
    loosest, tightest = limits[0].most, limits[-1].most
    bands = {name: config.band * tightest[name] / loosest[name] for name in loosest}
    tuner = Tuner(supernet, data, build(config, "recipe"), config.tune, config.seed)
    return Job(config, folder, supernet, data, limits, replace(problem, bands=bands), measurer, tuner, clock, formats)


def read_formats(given: Any) -> list[str] | None:
    """Return the formats that are to be written, none for an empty list; raise DynasError for what is no format."""
    if isinstance(given, ListConfig):
        return named(",".join(map(str, given))) if given else []
    if given is None or isinstance(given, str):
        return named(given)
    raise DynasError(f"formats={given}: give all, or a list such as [onnx,openvino_int8]")


def check_settings(config: DictConfig) -> None:
    """Raise DynasError where a setting of a compression makes no sense."""
    if config.judge not in config.objectives:
        raise one_of("judge", config.judge, config.objectives)
    for key, least in (("budget", 1), ("finalists", 1), ("trial", 0)):
        if config[key] < least:
            raise DynasError(f"{key}={config[key]}: give {least} or more")
    if not 0 <= config.band <= 1:
        raise DynasError(f"band={config.band}: give a share of the limit from 0 to 1")


def bounded(config: DictConfig, limits: Sequence[Limit]) -> DictConfig:
    """Return the config with what judges and what is limited as its only objectives, the loosest limit as bounds."""
    changed = deepcopy(config)
    loosest = limits[0]
    changed.objectives = {name: config.objectives[name] for name in (config.judge, *loosest.most)}
    for name, most in loosest.most.items():
        changed.objectives[name].bound = f"{most!r}x" if name in loosest.relative else most
    return changed
