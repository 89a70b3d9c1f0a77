"""The typed frame of the configs: what every run has, whatever its parts are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING


@dataclass
class ObjectiveConfig:
    """One entry of the group ``objectives`` (see `dynas.core.objectives.Objective`)."""

    direction: str = MISSING
    unit: str = MISSING
    bound: float | None = None
    predictor: Any = None
    metric: Any = MISSING


@dataclass
class SearchConfig:
    """Frame of ``dynas search``."""

    seed: int = 0
    budget: int = 250
    group: int = 5
    max_minutes: float | None = None
    patience: int | None = None
    warm_start: str | None = None
    confirm: int = 2
    resume: str | None = None
    supernet: Any = MISSING
    data: Any = MISSING
    hardware: Any = MISSING
    precision: str = "fp32"
    objectives: dict[str, ObjectiveConfig] = field(default_factory=dict)
    algo: Any = MISSING
    mode: Any = MISSING
    predictor: Any = MISSING
    executor: Any = MISSING


@dataclass
class TrainConfig:
    """Frame of ``dynas train``."""

    seed: int = 0
    start: str = "random"
    storage: str = "half"
    threads: int | None = None
    resume: str | None = None
    supernet: Any = MISSING
    data: Any = MISSING
    objectives: dict[str, ObjectiveConfig] = field(default_factory=dict)
    recipe: Any = MISSING


@dataclass
class PredictorsConfig:
    """Frame of ``dynas predictors``."""

    seed: int = 0
    results: Any = None
    examples: int = 1500
    group: int = 5
    predictors: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    test: int = 500
    trials: int = 100
    jobs: int | None = None
    resume: str | None = None
    supernet: Any = MISSING
    data: Any = MISSING
    hardware: Any = MISSING
    precision: str = "fp32"
    objectives: dict[str, ObjectiveConfig] = field(default_factory=dict)
    executor: Any = MISSING


@dataclass
class EvaluateConfig:
    """Frame of ``dynas evaluate``."""

    architectures: Any = None
    rows: Any = None
    group: int = 5
    resume: str | None = None
    supernet: Any = MISSING
    data: Any = MISSING
    hardware: Any = MISSING
    precision: str = "fp32"
    objectives: dict[str, ObjectiveConfig] = field(default_factory=dict)
    executor: Any = MISSING


@dataclass
class LutBuildConfig:
    """Frame of ``dynas lut build``."""

    table: str = MISSING
    group: int = 8
    supernet: Any = MISSING
    data: Any = MISSING
    hardware: Any = MISSING
    objectives: dict[str, ObjectiveConfig] = field(default_factory=dict)


@dataclass
class LutCheckConfig:
    """Frame of ``dynas lut check``."""

    table: Any = MISSING
    examples: int = 20
    seed: int = 0
    group: int = 8
    supernet: Any = MISSING
    data: Any = MISSING
    hardware: Any = MISSING
    objectives: dict[str, ObjectiveConfig] = field(default_factory=dict)


@dataclass
class TransferConfig(SearchConfig):
    """Frame of ``dynas transfer``: that of the run, and what is asked of it."""

    run: str | None = None
    against: str | None = None
    predict: int | None = None


def register() -> None:
    """Make the frames known to Hydra."""
    store = ConfigStore.instance()
    store.store(name="search_frame", node=SearchConfig)
    store.store(name="train_frame", node=TrainConfig)
    store.store(name="predictors_frame", node=PredictorsConfig)
    store.store(name="evaluate_frame", node=EvaluateConfig)
    store.store(name="lut_build_frame", node=LutBuildConfig)
    store.store(name="lut_check_frame", node=LutCheckConfig)
    store.store(name="transfer_frame", node=TransferConfig)
