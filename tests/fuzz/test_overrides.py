"""Overrides and experiment files that make no sense: composed, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.commands import outcome
from tests.fuzz.mutations import damaged, damaged_tree, fuzz, written

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
