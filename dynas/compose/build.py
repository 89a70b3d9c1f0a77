"""The only place that makes objects from a config."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from hydra import compose
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from dynas.compose.check import check_part
from dynas.compose.fit import introduce
from dynas.compose.overrides import one_sentence
from dynas.compose.roles import check_methods, check_role
from dynas.core.activity import doing
from dynas.core.bench import Bench, Meter
from dynas.core.callback import Callback
from dynas.core.data import ClassificationData, Data
from dynas.core.executor import Executor
from dynas.core.metric import CountedMetric, MeasuredMetric, Metric
from dynas.core.objectives import Objective
from dynas.core.predictor import Predictor, PredictorFactory
from dynas.core.problem import Problem
from dynas.core.supernet import Supernet
from dynas.errors import DynasError, os_sentence
from dynas.metrics.measurer import Measurer

log = logging.getLogger(__name__)

CALLED = ("algo", "executor", "predictor")  # parts that make something only when they are called


def build(config: DictConfig, part: str) -> Any:
    """Return the object that ``config.<part>`` describes.

    Raises:
        DynasError: its class refuses the settings, or cannot be found.
    """
    path = config._get_full_key(part)
    try:
        check_part(path, contents(config, part))
        made = instantiate(config[part], _convert_="all")
    except Exception as error:  # a class that a config names may raise anything
        raise refusal(path, error) from error
    if path in CALLED and not callable(made):
        raise DynasError(f"{path} makes a {type(made).__name__}, which cannot be called: leave {path}._partial_=true")
    return made


def call(path: str, made: Callable[..., Any], *arguments: object) -> Any:
    """Return what a part of a config makes that is called, or raise DynasError as `build` does."""
    try:
        return made(*arguments)
    except Exception as error:  # as in build
        raise refusal(path, error) from error


def contents(config: DictConfig, part: str) -> Any:
    """Return what stands at a key, resolved, as plain containers."""
    node = config[part]
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def refusal(path: str, error: BaseException) -> DynasError:
    """Return what kept a part of a config from being made in one sentence.

    Hydra wraps what a class or its module raises, once or several times: our own error counts, else the first one.
    """
    log.debug("building %s failed", path, exc_info=error)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DynasError):
            return cause
        first, cause = cause, cause.__cause__
    if isinstance(first, OSError):
        return DynasError(f"cannot build {path} from its config: {os_sentence(first)}")
    if isinstance(first, OmegaConfBaseException):
        return DynasError(f"{path}: {one_sentence(first)}")
    return DynasError(f"cannot build {path} from its config: {' '.join(str(first).split()) or type(first).__name__}")


def build_option(group: str, name: str) -> Any:
    """Return the object that one option of a group describes, with its defaults; Hydra must have been started.

    Raises:
        hydra.errors.HydraException: there is no such option.
        DynasError: its class refuses the settings.
    """
    return build(compose("search", overrides=[f"{group}={name}"]), group)


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


def build_parts(config: DictConfig) -> tuple[Data, Supernet]:
    """Return data and supernet, which has met them where it reads texts.

    Raises:
        DynasError: as `build_data`, `build_supernet` and `check_fit` do.
    """
    data = build_data(config)
    supernet = build_supernet(with_image_size(config, data))
    introduce(config, data, supernet)
    return data, supernet


def build_data(config: DictConfig) -> Data:
    """Return what quality is measured on, or raise DynasError as `build` and `check_role` do."""
    with doing("reading data"):
        data = build(config, "data")
    check_role("data", data, Data)
    return data  # type: ignore[no-any-return]


def build_supernet(config: DictConfig) -> Supernet:
    """Return the weight-sharing network, or raise DynasError as `build` and `check_role` do."""
    with doing("loading the supernet"):
        supernet = build(config, "supernet")
    check_role("supernet", supernet, Supernet)
    return supernet  # type: ignore[no-any-return]


def with_image_size(config: DictConfig, data: Data) -> DictConfig:
    """Return a config in which the supernet knows the size of the data's images where it leaves that to them."""
    keys = [key for key in ("resolution", "channels") if key in config.supernet and config.supernet[key] is None]
    if not keys or not isinstance(data, ClassificationData) or data.modelled:
        return config
    channels, height, width = next(iter(data.calibration_batches())).shape[1:]
    sizes = {"resolution": [height, width], "channels": channels}
    filled = config.copy()
    with open_dict(filled):
        filled.supernet.update({key: sizes[key] for key in keys})
    return filled


def build_meter(config: DictConfig, supernet: Supernet) -> Meter:
    """Return what latency is measured with, in the supernet's own batches where none is configured.

    Raises:
        DynasError: as `build` and `check_role` do.
    """
    if "batch_size" in config.hardware and config.hardware.batch_size is None:
        config = OmegaConf.merge(config, {"hardware": {"batch_size": supernet.latency_batch}})  # type: ignore[assignment]
    meter: Meter = build(config, "hardware")
    check_role("hardware", meter, Meter)
    return meter


def build_metric(config: DictConfig, name: str, *parts: Data | Meter) -> Metric:
    """Return the metric of an objective, or what stands in for it where the data or the hardware brings that.

    Raises:
        DynasError: what the config names is no metric.
    """
    own = build(config.objectives[name], "metric")
    metric: object = next((part.replaces[name] for part in parts if name in part.replaces), own)
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


def build_executor(config: DictConfig, measurer: Measurer) -> Executor:
    """Return what measures candidates; the caller closes it.

    Raises:
        DynasError: it refuses its settings, or cannot take what measures to its workers.
    """
    make = build(config, "executor")
    executor: Executor = call("executor", make, measurer.measure, measurer.at_once, len(measurer.metrics))
    check_methods("executor", executor, Executor)
    return executor


def build_predictors(config: DictConfig, problem: Problem) -> dict[str, PredictorFactory]:
    """Return what makes the predictor of each objective that is not exact: its own, or else the common one."""
    return {
        objective.name: build_predictor(config, objective.name)
        for objective in problem.objectives
        if not objective.exact
    }


def build_predictor(config: DictConfig, name: str) -> PredictorFactory:
    """Return what makes one objective's predictor."""
    own = config.objectives[name].predictor
    factory: PredictorFactory
    if own is None:
        factory = build(config, "predictor")
    elif isinstance(own, str):
        factory = build_option("predictor", own)
    else:
        factory = build(config.objectives[name], "predictor")
    check_methods("predictor", call("predictor", factory), Predictor)  # told before anything is measured
    return factory


def build_trackers(config: DictConfig) -> list[Callback]:
    """Return the trackers that hear of a search; raise DynasError where a package is missing or settings are wrong."""
    trackers: list[Callback] = []
    for name, entry in config.track.items():
        if not isinstance(entry, DictConfig):
            raise DynasError(f"track.{name}={entry}: a tracker is a mapping; choose by track=[tensorboard,mlflow]")
        trackers.append(build(config.track, str(name)))
        check_methods(f"track.{name}", trackers[-1], Callback)
    return trackers


def check_numbers(config: DictConfig) -> None:
    """Raise DynasError where the frame's numbers make no sense or the budget does not pay the first measurements."""
    check_seed(config)
    check_together(config)
    check_part("algo", contents(config, "algo"))
    check_part("mode", {key: value for key, value in contents(config, "mode").items() if key != "schedule"})
    keys = ("mode.training", "mode.population", "algo.population")
    first = next((key for key in keys if OmegaConf.select(config, key) is not None), None)
    wanted = OmegaConf.select(config, first) if first else 1
    if config.budget < max(wanted, 1):
        raise DynasError(
            f"budget={config.budget} is smaller than {first}={wanted}: "
            f"give budget={wanted} or more, or a smaller {first}"
        )


def check_seed(config: DictConfig) -> None:
    """Raise DynasError for a negative seed."""
    if config.seed < 0:
        raise DynasError(f"seed={config.seed}: give 0 or more")


def check_together(config: DictConfig) -> None:
    """Raise DynasError where no sub-network would be measured at a time."""
    if config.together < 1:
        raise DynasError(f"together={config.together}: give 1 or more")
