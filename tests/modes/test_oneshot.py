"""What is special to one-shot search: its training set, earlier measurements and ranges."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynas import DynasError
from dynas.algos.named import algorithm
from dynas.core.evaluator import Evaluator
from dynas.core.pareto import hypervolume, nadir
from dynas.executors.serial import Serial
from dynas.modes.oneshot import OneShot
from dynas.modes.ranges import parse_ranges
from tests.helpers.modes import PREDICTORS

pytestmark = pytest.mark.slow


def run(analytic: Any, mode: OneShot, budget: int, algo: str = "nsga2", seed: int = 0) -> Evaluator:
    evaluate = Evaluator(analytic.problem(), Serial(analytic.measure()), budget)
    make_algorithm = algorithm(algo, population=20)
    mode.check(evaluate.problem, make_algorithm)
    mode.run(evaluate, make_algorithm, PREDICTORS, np.random.default_rng(seed))
    return evaluate


def write_examples(path: Path, analytic: Any, n: int) -> Path:
    genotypes = analytic.space.sample_distinct(n, np.random.default_rng(3))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["cost [coins]", "quality [points]", "architecture"])
        for row, values in zip(genotypes, analytic.values(genotypes, 2), strict=True):
            writer.writerow([*values, json.dumps(analytic.space.decode(row))])
    return path


def test_the_finds_are_better_than_the_training_set(analytic_mbv3: Any) -> None:
    evaluate = run(analytic_mbv3, OneShot(training=60, predicted_evaluations=2000), 80)
    losses = evaluate.measured.losses
    reference = nadir(losses)
    assert [evaluation.iteration for evaluation in evaluate.history] == [1] * 60 + [2] * 20
    assert hypervolume(losses, reference) > 1.3 * hypervolume(losses[:60], reference)


def test_earlier_measurements_take_the_place_of_the_training_set(tmp_path: Path, analytic_mbv3: Any) -> None:
    examples = write_examples(tmp_path / "earlier.csv", analytic_mbv3, 150)
    evaluate = run(analytic_mbv3, OneShot(training=0, predicted_evaluations=2000, examples=examples), 20)
    random = Evaluator(analytic_mbv3.problem(), Serial(analytic_mbv3.measure()), 150)
    random(analytic_mbv3.space.sample_distinct(150, np.random.default_rng(4)))
    reference = nadir(random.measured.losses)
    assert len(evaluate.history) == 20, "examples cost no budget"
    assert hypervolume(evaluate.measured.losses, reference) > hypervolume(random.measured.losses, reference)


def test_earlier_measurements_are_added_to_the_training_set(tmp_path: Path, analytic_mbv3: Any) -> None:
    examples = [write_examples(tmp_path / "earlier.csv", analytic_mbv3, 150)]
    seen: list[int] = []

    class Observer:
        def evaluated(self, evaluation: Any) -> None: ...

        def fitted(self, iteration: int, quality: Any) -> None:
            seen.append(quality[0].examples)

    evaluate = Evaluator(analytic_mbv3.problem(), Serial(analytic_mbv3.measure()), 40)
    OneShot(30, 100, examples).run(evaluate, algorithm("nsga2"), PREDICTORS, np.random.default_rng(0), Observer())
    assert seen == [180]


@pytest.mark.parametrize("algo", ["ga", "cmaes", "motpe"])
def test_each_range_gets_a_search_of_its_own_on_the_other_objective(analytic_mbv3: Any, algo: str) -> None:
    low, high = analytic_mbv3.cost_bound(0.3), analytic_mbv3.cost_bound(0.7)
    predicted = 100 if algo == "motpe" else 400  # its suggestions cost 10 ms each
    mode = OneShot(training=80, predicted_evaluations=predicted, ranges={"cost": [low, high]})
    evaluate = run(analytic_mbv3, mode, 111, algo)
    iterations = np.array([evaluation.iteration for evaluation in evaluate.history])
    assert np.bincount(iterations)[1:].tolist() == [80, 16, 15], "the rest is shared out evenly"
    costs = analytic_mbv3.cost(evaluate.measured.genotypes)
    quality = analytic_mbv3.quality(evaluate.measured.genotypes)
    assert (costs[iterations == 2] <= low).all()
    assert ((costs[iterations == 3] > low) & (costs[iterations == 3] <= high)).all()
    if algo == "ga":
        training = iterations == 1
        assert quality[iterations == 2].max() > quality[training & (costs <= low)].max()
        assert quality[iterations == 3].max() > quality[training & (costs > low) & (costs <= high)].max()


def test_the_single_objective_algorithm_needs_the_ranges(analytic_mbv3: Any) -> None:
    with pytest.raises(DynasError, match="algo=ga"):
        OneShot(10).check(analytic_mbv3.problem(), algorithm("ga"))
    OneShot(10, ranges={"cost": [1.0]}).check(analytic_mbv3.problem(), algorithm("ga"))


@pytest.mark.parametrize("ranges", [{"cost": []}, {"cost": [2, 1]}, {"cost": [1, 1]}, {"cost": "20"}, {"cost": ["a"]}])
def test_ranges_must_rise(ranges: dict[str, Any]) -> None:
    with pytest.raises(DynasError, match=r"mode\.ranges\.cost needs rising numbers"):
        parse_ranges(ranges)


def test_ranges_of_several_or_unknown_objectives_are_refused(analytic_mbv3: Any) -> None:
    with pytest.raises(DynasError, match="takes one objective, got cost, quality"):
        OneShot(10, ranges={"cost": [1], "quality": [1]})
    with pytest.raises(DynasError, match=r"unknown objective in mode\.ranges 'macs': choose one of cost, quality"):
        OneShot(10, ranges={"macs": [1]}).check(analytic_mbv3.problem(), algorithm("nsga2"))
    with pytest.raises(DynasError, match="give a second one"):
        OneShot(10, ranges={"cost": [1]}).check(analytic_mbv3.problem(1), algorithm("ga"))


def test_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(DynasError, match=r"mode\.examples="):
        OneShot(training=0)
