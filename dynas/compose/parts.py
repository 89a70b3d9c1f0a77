"""The parts of a config, each of which has to play its role."""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf, open_dict

from dynas.compose.build import build, build_option, call
from dynas.compose.fit import introduce
from dynas.compose.roles import check_methods, check_role
from dynas.core.activity import doing
from dynas.core.bench import Meter
from dynas.core.callback import Callback
from dynas.core.data import ClassificationData, Data
from dynas.core.executor import Executor
from dynas.core.predictor import Predictor, PredictorFactory
from dynas.core.problem import Problem
from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.metrics.measurer import Measurer


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
