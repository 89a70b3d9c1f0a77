"""Overrides and experiment files that make no sense: composed, or refused in one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dynas.commands.hydra_job import known_keys
from dynas.compose.overrides import all_keys
from dynas.hardware.lut.files import TABLES
from dynas.system.folders import CONFIGS
from tests.fuzz.commands import outcome
from tests.fuzz.mutations import damaged, damaged_tree, fuzz, written
from tests.helpers.built import built

pytestmark = pytest.mark.slow

KEYS = (
    "supernet", "data", "hardware", "objectives", "algo", "mode", "predictor", "precision", "experiment", "seed",
    "budget", "together", "max_minutes", "confirm", "resume", "warm_start", "supernet.width", "supernet.weights",
    "mode.population", "mode.schedule", "objectives.top1.bound", "objectives.top1", "algo.population", "+x", "++x.y",
    "~mode", "nothing", "a b", "supernet@data", "hydra.run.dir", "hydra.searchpath", "",
)  # fmt: skip
VALUES = (
    "", "null", "0", "-1", "1.5", "1e400", "nan", "true", "mbv3", "note10", "imagenet_surrogate", "[top1,macs]", "[]",
    "{}", "[", "{a:", "'", '"', "a b", "a,b", "${", "${oc.env:HOME}", "${nothing}", "${seed}", "..", "/", "ä", "\u2028",
    "\\", "=", "x" * 3000, "[" * 500, "{1: [algo=random]}", "{1: 2}", "ridge", "random", "quick", "paper/linas", "*",
)  # fmt: skip
TINY = (
    *("supernet=mbv3", "data=imagenet_surrogate", "hardware=note10", "mode=validation", "algo=random"),
    *("algo.population=4", "budget=4"),
)
OVERRIDES = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES) | st.text(max_size=6)), max_size=3)


@fuzz(25)
@given(OVERRIDES, st.sampled_from(["search", "evaluate", "train", "predictors", "transfer"]))
def test_overrides_that_are_composed(tmp_path: Path, given: list[tuple[str, str]], command: str) -> None:
    words = [f"{key}={value}".replace("\0", "") for key, value in given]
    outcome([command, *words, "--cfg", "job", "--resolve"], tmp_path)


NUMBERS = ("-1", "0", "1", "2", "7", "0.5", "-0.5", "1e-9", "1e15", "1e16", "9" * 54, "nan", "inf", "-inf")
ANY = (
    *VALUES, *NUMBERS, "false", "[1]", "[[1]]", "[null]", "[a]", "{a: 1}", "{_target_: os.getcwd}", "os.abort", "int8",
    "{1: [7]}", "embedded", "missing.csv", "missing/", "/dev/null", "[smallest,largest]", "smallest", "[3,2]", "cuda:7",
)  # fmt: skip
PLACES = ("hydra", "resume", "run", "warm_start")  # keys of folders, which other tests damage, and of Hydra itself
BASES = {
    "search": TINY,
    "evaluate": (*TINY[:3], "architectures=smallest"),
    "transfer": ("source", "hardware.scale=2"),
    "predictors": (*TINY[:3], "predictors=[ridge]"),
    "train": ("data=fashion_mnist",),
    "lut_build": ("hardware.batch_size=1",),
    "lut_check": ("table=table.csv",),
}


def names(command: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the keys of a command's config and of all options, and the options of each group."""
    options: dict[str, list[str]] = {}
    keys = set(known_keys(command, []))
    for path in CONFIGS.glob("*/*.yaml"):
        group = path.parent.name
        if group not in ("hydra", "experiment") and not path.stem.startswith("ofa_"):  # these are downloaded
            options.setdefault(group, []).append(path.stem)
            own = all_keys({group: yaml.safe_load(path.read_text())})
            keys |= {key.removeprefix(f"{group}.{group}.") for key in own if ".defaults" not in key}
    return sorted(key for key in keys if key.split(".")[0] not in PLACES), {
        name: sorted(some) for name, some in options.items()
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to transfer, and a latency table."""
    folder = tmp_path_factory.mktemp("source")
    assert outcome(["search", *TINY, "hydra.run.dir=source"], folder) == 0
    shutil.copy(TABLES / "note10.csv", folder / "table.csv")
    return folder


@pytest.mark.parametrize("command", BASES)
def test_overrides_that_are_built(command: str, source: Path) -> None:
    keys, options = names(command)
    group = st.sampled_from(sorted(options)).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(options[name]))
    )
    key = st.tuples(st.sampled_from(keys), st.sampled_from(ANY) | st.floats().map(str) | st.integers().map(str))
    flag = st.tuples(
        st.sampled_from(["+", "++", "~", ""]).flatmap(lambda sign: st.sampled_from(keys).map(sign.__add__)),
        st.sampled_from(ANY),
    )

    @fuzz(6)
    @given(st.lists(group | key | key | flag, min_size=1, max_size=3))
    def check(given: list[tuple[str, str]]) -> None:
        words = [f"{name}={value}" for name, value in given]
        outcome([command, *BASES[command], *words, "hydra.run.dir=run"], source, run_built)
        shutil.rmtree(source / "run", ignore_errors=True)

    if command != "lut_check":
        assert outcome([command, *BASES[command], "hydra.run.dir=run"], source, run_built) == 0
        shutil.rmtree(source / "run")
    check()


def run_built(arguments: list[str]) -> int:
    return built(arguments[0], arguments[1:])


EXPERIMENT: dict[str, Any] = {
    "defaults": [{"override /algo": "random"}, "_self_"],
    "budget": 4,
    "seed": 1,
    "mode": {"_target_": "dynas.modes.validation.Validation"},
    "algo": {"population": 4},
    "objectives": {"top1": {"bound": 70}},
}


@fuzz(25)
@given(
    damaged_tree(EXPERIMENT).map(lambda tree: yaml.safe_dump(tree).encode())
    | damaged(yaml.safe_dump(EXPERIMENT).encode())
)
def test_experiment_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "configs" / "experiment").mkdir(parents=True, exist_ok=True)
    written(tmp_path / "configs" / "experiment" / "mine.yaml", b"# @package _global_\n" + content)
    outcome(["search", "--config-dir", "configs", *TINY[:3], "experiment=mine", "--cfg", "job"], tmp_path)
