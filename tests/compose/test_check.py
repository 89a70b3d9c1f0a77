"""Config values against the classes that they set: every option of ours fits, and what does not is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from dynas.compose.build import build, contents
from dynas.compose.check import check_part, check_values
from dynas.compose.frames import register
from dynas.compose.numbers import check_numbers
from dynas.compose.parts import build_executor, build_predictor
from dynas.compose.problem import build_problem
from dynas.errors import DynasError
from dynas.system.folders import CONFIGS

TINY = ("supernet=mbv3", "data=imagenet_surrogate", "hardware=note10")
GROUPS = ("supernet", "data", "hardware", "algo", "mode", "predictor", "executor")
OPTIONS = [(group, path.stem) for group in GROUPS for path in sorted((CONFIGS / group).glob("*.yaml"))]


@pytest.fixture(scope="module", autouse=True)
def hydra() -> Iterator[None]:
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_every_option_fits_its_class(group: str, name: str) -> None:
    config = compose("search", overrides=[f"{group}={name}"])
    for part in ("data", "hardware"):
        for key in [str(key) for key in config[part] if OmegaConf.is_missing(config[part], str(key))]:
            config[part][key] = "somewhere"
    part = contents(config, group)
    check_part(group, {key: value for key, value in part.items() if key != "schedule"})


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("mode.population=abc", "mode.population=abc: give a whole number"),
        ("mode.population=[10]", "mode.population=[10]: give a whole number"),
        ("mode.population=null", "mode.population=None: give a whole number"),
        ("mode.optimism=true", "mode.optimism=True: give a number"),
        ("mode.start_size={a: 1}", "give a whole number or null"),
        (
            "+mode.popolation=3",
            "mode.popolation: dynas.modes.linas.Linas has no such setting; did you mean population?",
        ),
        ("algo._partial_=2", "algo._partial_=2: give true or false"),
        ("~algo._target_", "algo names no class"),
        ("algo={_target_: os.getcwd, _partial_: true}", "os.getcwd has no such setting"),
        ("+algo.rng=1", "algo: dynas.algos.pareto_local_search.ParetoLocalSearch cannot be called"),
    ],
)
def test_a_setting_that_does_not_fit_its_class_is_named(override: str, message: str) -> None:
    with pytest.raises(DynasError) as refused:
        check_numbers(compose("search", overrides=[*TINY, override]))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("supernet.weights=123", "supernet.weights=123: give text; in quotes it is text: supernet.weights='\"123\"'"),
        ("objectives.top1=${oc.env:HOME}", "an objective is a mapping"),
        ("objectives.top1.metric={_target_: os.nothing}", "objectives.top1.metric"),
        ("hardware._target_=nowhere.Nothing", "cannot build hardware from its config"),
        ("+executor.foo=1", "executor.foo: dynas.executors.serial.Serial has no such setting"),
        ("executor={_target_: os.getcwd}", "executor: os.getcwd cannot be called"),
        ("executor={_target_: builtins.dict}", "cannot build executor"),
        ("predictor={_target_: builtins.dict, _partial_: true}", "predictor: dict has no fit"),
        ("predictor.iterations=-1", "predictor.iterations needs at least 1"),
    ],
)
def test_every_part_that_cannot_be_made_is_one_sentence(override: str, message: str) -> None:
    config = compose("search", overrides=[*TINY, override])
    with pytest.raises(DynasError) as refused:
        make_all(config)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def make_all(config: DictConfig) -> None:
    _, measurer = build_problem(config)
    build(config, "algo")
    build_predictor(config, "top1")
    build_executor(config, measurer).close()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 10**54, -(10**400), 1e300])
def test_numbers_without_sense_are_refused_wherever_they_stand(value: float) -> None:
    config: dict[str, Any] = {"mode": {"sizes": [1, {"deep": value}]}}
    with pytest.raises(DynasError, match=r"mode\.sizes\.deep"):
        check_values(config)
    check_values({"mode": {"sizes": [1, {"deep": 1e15}]}})


def test_the_first_error_of_ours_is_told_however_deep_hydra_wraps_it(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "lacking.py").write_text("from dynas.errors import DynasError\nraise DynasError('it needs Foo')\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = compose("search", overrides=[*TINY, "executor={_target_: lacking.Executor}"])
    with pytest.raises(DynasError, match=r"^it needs Foo$"):
        build(config, "executor")
