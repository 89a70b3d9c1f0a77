"""The typed frame of the configs: what every run has, whatever its parts are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from dynas.compose.yaml_files import limit_configs


@dataclass
class ObjectiveConfig:
    """One entry of the group ``objectives`` (see `dynas.core.objectives.Objective`)."""

    direction: str = MISSING
    unit: str = MISSING
    bound: Any = None  # a number, or a share of the original such as 0.6x
    predictor: Any = None
    metric: Any = MISSING


@dataclass
class PartsConfig:
    """What every command has."""

    supernet: Any = MISSING
    data: Any = MISSING
    objectives: dict[str, ObjectiveConfig] = field(default_factory=dict)


@dataclass
class MeasureConfig(PartsConfig):
    """What every command has that measures sub-networks into a run folder."""

    together: int = 5
    resume: str | None = None
    hardware: Any = MISSING
    precision: str = "fp32"
    executor: Any = MISSING


@dataclass
class SearchConfig(MeasureConfig):
    """Frame of ``dynas search``."""

    seed: int = 0
    budget: int = 250
    max_minutes: float | None = None
    patience: int | None = None
    max_failures: int | None = 20
    warm_start: str | None = None
    known: Any = field(default_factory=list)  # run folders; an empty list: the cache alone; null: nothing
    confirm: int = 2
    tune: int | None = None
    tune_recipe: str | None = None
    algo: Any = MISSING
    mode: Any = MISSING
    predictor: Any = MISSING
    track: dict[str, Any] = field(default_factory=dict)


@dataclass
class TransferConfig(SearchConfig):
    """Frame of ``dynas transfer``: that of the run, and what is asked of it."""

    run: str | None = None
    against: str | None = None
    predict: int | None = None


@dataclass
class CompressConfig(MeasureConfig):
    """Frame of ``dynas compress``."""

    limit: Any = MISSING
    formats: Any = None
    judge: str = "agreement"
    band: float = 0.9
    budget: int = 60
    finalists: int = 1
    trial: int = 10
    tune: int = 600
    seed: int = 0
    max_minutes: float | None = None
    max_failures: int | None = 20
    algo: Any = MISSING
    mode: Any = MISSING
    predictor: Any = MISSING
    track: dict[str, Any] = field(default_factory=dict)
    recipe: Any = MISSING


@dataclass
class EvaluateConfig(MeasureConfig):
    """Frame of ``dynas evaluate``."""

    architectures: Any = None
    rows: Any = None


@dataclass
class PredictorsConfig(MeasureConfig):
    """Frame of ``dynas predictors``."""

    seed: int = 0
    results: Any = None
    examples: int = 1500
    predictors: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    test: int = 500
    trials: int = 100
    jobs: int | None = None


@dataclass
class LutBuildConfig(PartsConfig):
    """Frame of ``dynas lut build``."""

    table: str = MISSING
    together: int = 8
    hardware: Any = MISSING


@dataclass
class LutCheckConfig(PartsConfig):
    """Frame of ``dynas lut check``."""

    table: Any = MISSING
    together: int = 8
    hardware: Any = MISSING
    examples: int = 20
    seed: int = 0


@dataclass
class TrainConfig(PartsConfig):
    """Frame of ``dynas train``."""

    seed: int = 0
    start: str = "random"
    storage: str = "half"
    threads: int | None = 1
    device: str = "cpu"
    mixed_precision: bool = False
    resume: str | None = None
    recipe: Any = MISSING
    validation: Any = MISSING


FRAMES = {
    "search": SearchConfig,
    "compress": CompressConfig,
    "transfer": TransferConfig,
    "evaluate": EvaluateConfig,
    "predictors": PredictorsConfig,
    "lut_build": LutBuildConfig,
    "lut_check": LutCheckConfig,
    "train": TrainConfig,
}


def register() -> None:
    """Make the frames known to Hydra, each as ``<command>_frame``, and let it read config files with limits."""
    limit_configs()
    for command, frame in FRAMES.items():
        ConfigStore.instance().store(name=f"{command}_frame", node=frame)
