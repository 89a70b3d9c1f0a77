"""`dynas.search` on a user's own function."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from dynas import DesignVariable, DynasError, Objective, SearchSpace, depth_gates, search
from dynas.algos.base import OBJECTIVES
from dynas.algos.named import algorithm
from dynas.modes.linas import Linas
from dynas.modes.oneshot import OneShot
from dynas.modes.validation import Validation
from tests.helpers.cli import ROOT

SPACE = SearchSpace(
    [DesignVariable("depth", (2, 3, 4)), DesignVariable("width", (16, 32, 64), 4, depth_gates("depth", [4]))]
)
COST = Objective("cost", "min", "MAC")
QUALITY = Objective("quality", "max", "%")


def cost_of(architecture: dict[str, Any]) -> float:
    return float(sum(architecture["width"][: architecture["depth"]]))


def measure(architecture: dict[str, Any]) -> tuple[float, float]:
    kept = np.array(architecture["width"][: architecture["depth"]])
    return cost_of(architecture), float(50 + 10 * np.log(kept).sum() - 0.001 * kept[0] * kept[-1])


MODES = {
    "validation": Validation(),
    "linas": Linas(population=10, predicted_evaluations=60),
    "oneshot": OneShot(training=15, predicted_evaluations=60),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name not in ("ga", "cmaes")])
def test_every_mode_and_algorithm_runs_on_a_function(mode: str, name: str) -> None:
    result = search(SPACE, [COST, QUALITY], measure, budget=30, mode=MODES[mode], algo=algorithm(name, population=10))
    table = result.measurements
    assert list(table.columns) == [
        "iteration", "key", "cost [MAC]", "quality [%]", "seconds [s]", "error", "architecture",
    ]  # fmt: skip
    assert len(table) == table["key"].nunique() == 30
    assert [measure(row) for row in table["architecture"]] == list(
        zip(table["cost [MAC]"], table["quality [%]"], strict=True)
    )
    curve = result.hypervolume()
    assert (np.diff(curve) >= 0).all()
    front = result.front
    assert front["cost [MAC]"].is_monotonic_increasing
    assert front["quality [%]"].is_monotonic_increasing


def test_functions_may_be_vectorised_and_name_their_values() -> None:
    plain = search(SPACE, [COST, QUALITY], measure, budget=25, mode=MODES["linas"])

    def by_name(architecture: dict[str, Any]) -> dict[str, float]:
        return dict(zip(("cost", "quality"), measure(architecture), strict=True))

    def rows(architectures: list[dict[str, Any]]) -> np.ndarray:
        return np.array([measure(one) for one in architectures])

    def columns(architectures: list[dict[str, Any]]) -> dict[str, np.ndarray]:
        return {"quality": rows(architectures)[:, 1], "cost": rows(architectures)[:, 0]}

    for function, vectorised in ((by_name, False), (rows, True), (columns, True)):
        other = search(SPACE, [COST, QUALITY], function, budget=25, mode=MODES["linas"], vectorised=vectorised)
        assert list(other.measurements["key"]) == list(plain.measurements["key"])


def test_an_exact_objective_is_computed_and_needs_no_measurement() -> None:
    exact = {"cost": lambda genotypes: np.array([cost_of(SPACE.decode(row)) for row in genotypes])}
    objectives = [Objective("cost", "min", "MAC", exact=True), QUALITY]
    result = search(SPACE, objectives, lambda one: measure(one)[1], budget=20, mode=MODES["linas"], exact=exact)
    assert list(result.measurements["cost [MAC]"]) == [cost_of(one) for one in result.architectures]
    with pytest.raises(DynasError, match="exact objectives need one function each"):
        search(SPACE, objectives, measure)


def test_one_objective_with_a_bound() -> None:
    bounded = Objective("quality", "max", "%", bound=100.0)
    result = search(SPACE, [bounded], lambda one: measure(one)[1], budget=60, algo="ga", mode="validation")
    assert len(result.front) == 1
    assert result.front["quality [%]"].iloc[0] == result.measurements["quality [%]"].max()


def test_what_a_function_raises_is_kept_and_stops_nothing() -> None:
    def fragile(architecture: dict[str, Any]) -> tuple[float, float]:
        if architecture["depth"] == 3:
            raise RuntimeError("no such depth")
        return measure(architecture)

    for function, vectorised in ((fragile, False), (lambda many: np.array([fragile(one) for one in many]), True)):
        result = search(SPACE, [COST, QUALITY], function, budget=40, mode=MODES["linas"], vectorised=vectorised)
        failed = result.measurements[result.measurements["error"] != ""]
        assert 0 < len(failed) < 40
        assert set(failed["error"]) == {"RuntimeError: no such depth"}
        assert failed["cost [MAC]"].isna().all()
        assert all(one["depth"] == 3 for one in failed["architecture"])


def test_a_wrong_number_of_values_is_a_reason_too() -> None:
    result = search(SPACE, [COST, QUALITY], lambda one: (1.0, 2.0, 3.0), budget=5, mode="validation", algo="random")
    assert set(result.measurements["error"]) == {"ValueError: 2 values expected (cost, quality), got 3"}


def test_a_start_comes_first_and_patience_ends_the_search() -> None:
    start = [SPACE.decode(SPACE.largest()), SPACE.decode(SPACE.smallest())]
    result = search(
        SPACE, [COST, QUALITY], lambda one: (1.0, 1.0), budget=100, mode="validation",
        algo=algorithm("random", population=10), start=start, patience=2,
    )  # fmt: skip
    assert result.architectures[:2] == start
    assert len(result.measurements) == 30
    assert "patience=2" in result.stopped


def test_the_reference_point_is_in_the_units_of_the_user() -> None:
    result = search(SPACE, [COST, QUALITY], measure, budget=20, mode="validation", algo="random")
    best = result.measurements.iloc[[0]]
    volume = (1000 - best["cost [MAC]"].item()) * best["quality [%]"].item()
    assert result.hypervolume({"cost": 1000, "quality": 0}).iloc[0] == pytest.approx(volume)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"algo": "simplex"}, "unknown algorithm 'simplex'"),
        ({"mode": "oracle"}, "unknown mode 'oracle': choose one of linas, oneshot, validation"),
        ({"predictor": "tarot"}, "unknown predictor 'tarot'"),
        ({"predictor": {"cost": "ridge"}}, "no predictor given for quality"),
        ({"algo": "ga"}, "algo=ga"),
        ({"budget": 0}, "a budget of at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        search(SPACE, [COST, QUALITY], measure, **changes)


def test_neither_hydra_nor_torch_nor_a_file_is_needed(tmp_path: Any) -> None:
    code = (
        "import sys, dynas\n"
        "space = dynas.SearchSpace([dynas.DesignVariable('a', (1, 2, 3), 4)])\n"
        "objectives = [dynas.Objective('x', 'min', '1'), dynas.Objective('y', 'max', '1')]\n"
        "result = dynas.search(space, objectives, lambda one: (sum(one['a']), one['a'][0]), budget=60)\n"
        "print(len(result.measurements), sorted({'torch', 'hydra', 'omegaconf', 'optuna'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "60 []", done.stderr
    assert list(tmp_path.iterdir()) == []
