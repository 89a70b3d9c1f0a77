"""Commands that compose, check and build what they are told to, and then stop: nothing is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from unittest import mock

from omegaconf import DictConfig, OmegaConf

from dynas.cli import COMMANDS, main
from dynas.commands.compress import in_full
from dynas.commands.hydra_job import run_hydra
from dynas.commands.lut_build import parts
from dynas.commands.transfer import with_source
from dynas.compose.build import build, build_option, contents
from dynas.compose.check import check_part
from dynas.compose.numbers import check_numbers, check_together
from dynas.compose.overrides import overrides, plain
from dynas.compose.parts import build_data, build_executor, build_predictors, build_supernet
from dynas.compose.problem import build_problem, build_quality
from dynas.compose.schedule import build_mode
from dynas.core.stopping import Stopping
from dynas.runs.architectures import read_architectures


def search(config: DictConfig) -> int:
    check_numbers(config)
    problem, measurer = build_problem(config)
    make_algorithm = build(config, "algo")
    build_predictors(config, problem)
    build_mode(config, overrides(), problem).check(problem, make_algorithm)
    Stopping(config.max_minutes, config.patience, config.max_failures)
    if config.executor.get("_target_", "").startswith("dynas.executors.serial"):
        build_executor(config, measurer).close()
    return 0


def evaluate(config: DictConfig) -> int:
    check_together(config)
    problem, _ = build_problem(config)
    settings = plain(config)
    read_architectures(settings["architectures"], settings["rows"], problem.space, problem.objectives)
    return 0


def transfer(config: DictConfig) -> int:
    check_together(config)
    build_problem(config)
    return 0


def predictors(config: DictConfig) -> int:
    check_together(config)
    for name in config.predictors:
        build_option("predictor", name)
    build_problem(config)
    return 0


def train(config: DictConfig) -> int:
    config.supernet.weights = config.start
    data, supernet = build_data(config), build_supernet(config)
    build(config, "recipe")
    build_quality(config, supernet, data)
    return 0


def table(config: DictConfig) -> int:
    parts(config)
    return 0


JOBS = {
    "search": search, "evaluate": evaluate, "transfer": transfer, "predictors": predictors, "train": train,
    "lut_build": table, "lut_check": table,
}  # fmt: skip

PARTS = ("supernet", "data", "hardware", "executor", "algo", "mode", "predictor", "recipe")


def checked(config: DictConfig) -> int:
    """Check what a config says of each part without making any: weights and data are not read."""
    for part in PARTS:
        if part in config and not OmegaConf.is_missing(config, part):
            settings = contents(config, part)
            check_part(part, {key: settings[key] for key in settings if key != "schedule"})  # see build_mode
    if "algo" in config:
        check_numbers(config)
    return 0


def built(name: str, arguments: Sequence[str], job: Callable[[DictConfig], int] | None = None) -> int:
    """Run a command as `dynas.cli.main` does, up to where it would measure; return its status.

    Args:
        name: of the command's config, such as ``lut_build``.
        arguments: what follows the command.
        job: what is done instead.
    """

    def command(given: list[str]) -> int:
        read = {"transfer": with_source, "compress": in_full}.get(name, list)
        return run_hydra(name, job or JOBS[name], read(given))

    with mock.patch.dict(COMMANDS, {name: command}):
        return main([name, *arguments])
