"""`dynas.search` on a user's own function."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch

from dynas import DesignVariable, DynasError, Objective, SearchSpace, depth_gates, search
from dynas.algos.base import OBJECTIVES
from dynas.algos.named import algorithm
from dynas.core.evaluation import Measurement
from dynas.core.problem import Problem
from dynas.errors import DynasWarning
from dynas.functions import measure_function
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
    least = min(result.measurements["cost [MAC]"])
    bounded = [Objective("cost", "min", "MAC", bound=least / 2, exact=True), QUALITY]
    with pytest.raises(DynasError, match="of objective cost leaves no sub-network: the least that one has is"):
        search(SPACE, bounded, lambda one: pytest.fail("nothing is measured"), exact=exact)
    with pytest.raises(DynasError, match="exact objectives need one function each"):
        search(SPACE, objectives, measure)
    with pytest.raises(DynasError, match=r"exact\['cost'\] was given \d+ genotypes and returned 1 values"):
        search(SPACE, objectives, lambda one: measure(one)[1], exact={"cost": lambda genotypes: [1.0]})


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


class Named(NamedTuple):
    quality: float
    cost: float


@dataclass
class Fields:
    quality: float
    cost: float


RIGHT = {
    "a tuple": lambda cost, quality: (cost, quality),
    "an array": lambda cost, quality: np.array([cost, quality]),
    "a dict with more in it": lambda cost, quality: {"quality": quality, "cost": cost, "note": "fine"},
    "a series with names": lambda cost, quality: pd.Series({"quality": quality, "cost": cost}),
    "a series without names": lambda cost, quality: pd.Series([cost, quality]),
    "a frame of one row": lambda cost, quality: pd.DataFrame({"quality": [quality], "cost": [cost]}),
    "a named tuple": lambda cost, quality: Named(quality, cost),
    "a dataclass": lambda cost, quality: Fields(quality, cost),
    "a structured array": lambda cost, quality: np.array((quality, cost), dtype=[("quality", float), ("cost", float)]),
    "tensors of two kinds": lambda cost, quality: (torch.tensor(cost), torch.tensor([quality])),
    "a tensor in bfloat16": lambda cost, quality: torch.tensor([cost, quality], dtype=torch.bfloat16),
    "a tensor with a gradient": lambda cost, quality: torch.tensor([cost, quality], requires_grad=True),
    "exact numbers": lambda cost, quality: [Fraction(int(cost)), Decimal(quality)],
}
WRONG = {
    "a value too many": (lambda one: (1.0, 2.0, 3.0), "2 values expected (cost, quality), got 3"),
    "nothing": (lambda one: None, "2 values expected (cost, quality), got None"),
    "one number": (lambda one: 1.0, "2 values expected (cost, quality), got 1.0"),
    "a text": (lambda one: "12", "2 values expected (cost, quality), got '12'"),
    "a set": (lambda one: {1.0, 2.0}, "2 values expected (cost, quality), got set"),
    "a generator": (lambda one: (x for x in (1.0, 2.0)), "2 values expected (cost, quality), got generator"),
    "a square": (lambda one: np.ones((2, 2)), "a real number expected for 'cost', got ndarray of shape (2,)"),
    "texts": (lambda one: ("1", "2"), "a real number expected for 'cost', got '1'"),
    "a truth value": (lambda one: (1.0, np.True_), "a real number expected for 'quality', got np.True_"),
    "a complex number": (lambda one: (1.0, 2j), "a real number expected for 'quality', got 2j"),
    "a number beyond all": (lambda one: (1.0, 10**400), "a real number expected for 'quality', got 1000"),
    "another name": (lambda one: {"cost": 1.0, "q": 2.0}, "no value for quality: the function names cost, q"),
    "another field": (lambda one: pd.Series({"a": 1.0, "b": 2.0}), "no value for cost, quality: the function names a"),
    "not finite": (lambda one: (1.0, float("inf")), "measured [1.0, inf]"),
}


@pytest.mark.parametrize("form", RIGHT)
def test_values_are_taken_by_name_or_in_the_objectives_order(form: str) -> None:
    measured = measurements(lambda one: RIGHT[form](one["depth"] * 1.0, 64.0), rows_of(3))
    assert [(one.values, one.error) for one in measured] == [((depth, 64.0), "") for depth in (2.0, 3.0, 4.0)]


@pytest.mark.parametrize("form", WRONG)
def test_other_answers_are_a_reason(form: str) -> None:
    function, why = WRONG[form]
    for measured in (
        measurements(function, rows_of(3)),
        measurements(lambda many: [function(one) for one in many], rows_of(3), vectorised=True),
    ):
        assert all(one.error.startswith(why) for one in measured), measured[0].error
        assert len(measured) == 3


TABLES = {
    "an array": lambda costs, qualities: np.stack([costs, qualities], axis=1),
    "a tensor": lambda costs, qualities: torch.tensor(np.stack([costs, qualities], axis=1), requires_grad=True),
    "rows": lambda costs, qualities: list(zip(costs, qualities, strict=True)),
    "columns": lambda costs, qualities: {"quality": list(qualities), "cost": torch.tensor(costs)},
    "a frame": lambda costs, qualities: pd.DataFrame({"quality": qualities, "cost": costs}, index=costs),
    "named columns": lambda costs, qualities: Named(qualities, costs),
    "columns of one": lambda costs, qualities: {"quality": qualities[:, None], "cost": costs[:, None]},
    "named rows": lambda costs, qualities: [Named(*pair) for pair in zip(qualities, costs, strict=True)],
}
MISFITS = {
    "two arrays": (lambda costs, qualities: (costs, qualities), "rows of 2 values expected (cost, quality)"),
    "a list of arrays": (lambda costs, qualities: [costs, qualities], "rows of 2 values expected (cost, quality)"),
    "turned": (lambda costs, qualities: np.stack([costs, qualities]), "rows of 2 values expected (cost, quality)"),
    "rows too few": (lambda costs, qualities: np.ones((len(costs) - 1, 2)), "rows of 2 values expected"),
    "rows too many": (lambda costs, qualities: np.ones((len(costs) + 1, 2)), "rows of 2 values expected"),
    "a number": (lambda costs, qualities: 1.0, "rows of 2 values expected (cost, quality)"),
    "a column too short": (
        lambda costs, qualities: {"cost": costs[:-1], "quality": qualities[:-1]},
        "values expected for 'cost', got",
    ),
    "one value for all": (lambda costs, qualities: {"cost": costs, "quality": 1.0}, "values expected for 'quality'"),
    "a column that is missing": (lambda costs, qualities: {"cost": costs}, "no value for quality"),
}


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("form", TABLES)
def test_a_vectorised_function_answers_with_rows_or_named_columns(form: str, n: int) -> None:
    measured = measurements(whole(TABLES[form]), rows_of(n), vectorised=True)
    assert [one.values for one in measured] == [(2.0 + row, 50.0 - row) for row in range(n)]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("form", MISFITS)
def test_another_shape_fails_every_candidate(form: str, n: int) -> None:
    function, why = MISFITS[form]
    measured = measurements(whole(function), rows_of(n), vectorised=True)
    assert len(measured) == n
    assert all(why in one.error and np.isnan(one.values).all() for one in measured), measured[0].error


def test_a_bad_row_fails_its_own_candidate_only() -> None:
    measured = measurements(
        lambda many: [(one["depth"], None if one["depth"] == 3 else 1.0) for one in many], rows_of(3), vectorised=True
    )
    assert [one.error for one in measured] == ["", "a real number expected for 'quality', got None", ""]


def test_a_wrong_shape_neither_hangs_nor_takes_more_than_the_budget() -> None:
    calls: list[int] = []

    def short(many: list[dict[str, Any]]) -> dict[str, np.ndarray]:
        calls.append(len(many))
        return {"cost": np.zeros(len(many) - 1), "quality": np.zeros(len(many) - 1)}

    with contextlib.suppress(DynasError):  # nothing succeeded
        search(SPACE, [COST, QUALITY], short, budget=25, vectorised=True, mode="validation", algo="random")
    assert 0 < sum(calls) <= 25
    assert 2 not in calls


def whole(form: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[[list[dict[str, Any]]], Any]:
    """Return a vectorised function whose qualities are 52 minus costs."""

    def function(many: list[dict[str, Any]]) -> Any:
        costs = np.array([float(one["depth"]) for one in many])
        return form(costs, 52 - costs)

    return function


LADDER = SearchSpace([DesignVariable("depth", range(2, 12))])


def rows_of(n: int) -> np.ndarray:
    return np.arange(n)[:, None]


def measurements(function: Any, genotypes: np.ndarray, vectorised: bool = False) -> list[Measurement]:
    return list(measure_function(Problem(LADDER, (COST, QUALITY)), function, vectorised)(genotypes))


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
        ({"mode": "oracle"}, "unknown mode 'oracle': choose one of additive, linas, oneshot, validation"),
        ({"predictor": "tarot"}, "unknown predictor 'tarot'"),
        ({"predictor": {"cost": "ridge"}}, "no predictor given for quality"),
        ({"algo": "ga"}, "algo=ga"),
        ({"budget": 0}, "a budget of at least 1"),
        ({"budget": "9"}, "a budget of at least 1 and a whole number, got '9'"),
        ({"objectives": []}, "at least one objective"),
        ({"objectives": COST}, "at least one objective, got Objective"),
        ({"objectives": ["cost"]}, "got 'cost'"),
        ({"objectives": [COST, COST]}, "two objectives are called 'cost'"),
        ({"function": None}, "function must be a function, got None"),
        ({"exact": {"cost": 3}}, "cost must be a function, got 3"),
        ({"space": [1]}, "space must be a SearchSpace"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        search(**({"space": SPACE, "objectives": [COST, QUALITY], "function": measure} | changes))


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


@pytest.mark.parametrize(
    ("mode", "algo", "budget", "message"),
    [
        (
            "linas",
            "nsga2",
            20,
            r"budget=20 is used up by the first sample \(mode.start_size=20\).* give budget=30 or more",
        ),
        (Linas(5, 100, start_size=None), "nsga2", 5, r"\(mode.population=5\).* give budget=10 or more"),
        ("oneshot", "nsga2", 30, r"\(mode.training=1000\).* give budget=1001 or more"),
        ("validation", algorithm("nsga2", population=10), 10, r"\(algo.population=10\).* give budget=20 or more"),
    ],
)
def test_a_budget_that_the_first_sample_uses_up_is_told(mode: Any, algo: Any, budget: int, message: str) -> None:
    with pytest.warns(DynasWarning, match=message):
        search(SPACE, [COST, QUALITY], measure, budget=budget, mode=mode, algo=algo)


@pytest.mark.parametrize(("mode", "algo", "budget"), [(MODES["linas"], "nsga2", 21), ("validation", "random", 20)])
def test_a_budget_that_goes_further_or_has_nothing_to_learn_is_not(mode: Any, algo: str, budget: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DynasWarning)
        search(SPACE, [COST, QUALITY], measure, budget=budget, mode=mode, algo=algo)
