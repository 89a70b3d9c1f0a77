"""The search mode, which may change its algorithm and predictors from one iteration to the next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hydra import compose
from omegaconf import DictConfig, ListConfig, OmegaConf

from dynas.compose.build import build
from dynas.compose.parts import build_predictors
from dynas.core.mode import SearchMode
from dynas.core.problem import Problem
from dynas.errors import DynasError

SCHEDULE = 'mode.schedule maps iterations to lists of overrides, such as {3: ["algo=agemoea"]}'
CHANGES = r"(algo|predictor)(\.\w+)?=|mode\.(population|predicted_evaluations)=|objectives\.\w+\.predictor="


def build_mode(config: DictConfig, overrides: Sequence[str], problem: Problem) -> SearchMode:
    """Return the search mode, with the iterations of its schedule where it has one.

    Args:
        config: the composed config.
        overrides: the overrides that it was composed from.
        problem: what is searched.
    """
    schedule = config.mode.get("schedule")
    if not schedule:
        mode: SearchMode = build(config, "mode")
        return mode
    if not isinstance(schedule, DictConfig):
        raise DynasError(f"{SCHEDULE}, got {schedule}")
    stages: dict[int, dict[str, Any]] = {}
    wanted = dict(check_changes(iteration, changes) for iteration, changes in schedule.items())
    changes: list[str] = []
    for iteration in sorted(wanted):
        changes += wanted[iteration]
        changed = compose("search", overrides=[*overrides, *changes])
        stages[iteration] = {
            "population": changed.mode.population,
            "predicted_evaluations": changed.mode.predicted_evaluations,
            "make_algorithm": build(changed, "algo"),
            "make_predictors": build_predictors(changed, problem),
        }
    plain = {key: value for key, value in config.mode.items() if key != "schedule"}
    mode = build(OmegaConf.create({"mode": {**plain, "_partial_": True}}), "mode")(schedule=stages)
    return mode


def check_changes(iteration: object, changes: object) -> tuple[int, list[str]]:
    """Return one iteration of a schedule and its overrides; raise DynasError where one changes something else."""
    if not isinstance(iteration, int) or not isinstance(changes, ListConfig):
        raise DynasError(f"{SCHEDULE}, got {iteration}: {changes}")
    for change in map(str, changes):
        if not re.match(CHANGES, change):
            raise DynasError(
                "mode.schedule can change algo, predictor, mode.population, mode.predicted_evaluations and "
                f"objectives.<name>.predictor, not '{change}'"
            )
    return iteration, [str(change) for change in changes]
