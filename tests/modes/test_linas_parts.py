"""The parts that LINAS is put together from: start, features, optimism, choice, and the space's additive minimum."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas import DesignVariable, DynasError, Objective, SearchSpace, depth_gates
from dynas.algos.pareto_local_search import ParetoLocalSearch, random_change, single_changes
from dynas.core.evaluator import Evaluator
from dynas.core.pareto import hypervolume
from dynas.core.problem import Batch, Problem, make_batch
from dynas.executors.serial import Serial
from dynas.modes.initial_design import stratified
from dynas.modes.linas import Linas
from dynas.modes.selection import MARGIN, by_expected_hypervolume, by_hypervolume, by_spread, greedy
from dynas.predictors.features import levels, one_hot
from dynas.predictors.gp import GaussianProcess
from dynas.predictors.ridge import Ridge
from dynas.predictors.surrogate import Surrogate

SMALL = SearchSpace(
    [
        DesignVariable("ks", (3, 5, 7), 4, depth_gates("d", [2, 2])),
        DesignVariable("d", (1, 2), 2),
        DesignVariable("w", (1,)),
    ]
)
EVERYTHING = SMALL.canonical(
    np.array(list(itertools.product(*(range(count) for count in SMALL.cardinality))), dtype=np.int64)
)
seeds = st.integers(0, 10**6)
RNG = np.random.default_rng(0)


@given(seeds)
def test_the_lightest_is_the_best_of_all(seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(5, SMALL.n_features))
    best = SMALL.lightest(weights)
    np.testing.assert_array_equal(SMALL.canonical(best), best)
    totals = SMALL.one_hot(EVERYTHING) @ weights.T
    np.testing.assert_allclose((SMALL.one_hot(best) * weights).sum(axis=1), totals.min(axis=0))


def test_levels_say_how_large_variables_and_their_units_are() -> None:
    genotype = np.array([[1, 2, 2, 0, 1, 0, 0]])  # the second unit has one block
    ks, d, w, first, second, *active = SMALL.levels(genotype)[0]
    assert (ks, d, w, first, second) == ((0.5 + 1 + 1) / 4, 0.5, 0, 0.75, 0.5)
    assert active == [0.75, 1, 1]


@given(seeds, st.integers(1, 30))
def test_the_start_has_the_corners_and_covers_the_costs(seed: int, n: int) -> None:
    space = SearchSpace(
        [DesignVariable("ks", (3, 5, 7), 20, depth_gates("d", [4] * 5)), DesignVariable("d", (2, 3, 4), 5)]
    )

    def cost(genotypes: Any) -> Any:
        return (genotypes[:, :20] * space.active(genotypes)[:, :20]).sum(axis=1) + genotypes[:, 20:].sum(axis=1)

    problem = Problem(space, (Objective("cost", "min", "1", exact=True),), {"cost": cost})
    rows = stratified(problem, n, np.random.default_rng(seed))
    assert rows.shape == (n, 25) == np.unique(rows, axis=0).shape
    np.testing.assert_array_equal(space.canonical(rows), rows)
    if n >= 20:
        costs = np.sort(cost(rows))
        assert (costs[0], costs[-1]) == (0, 50)
        assert np.diff(costs).max() <= 12, "no wide gap"


def test_a_start_larger_than_the_space_is_the_space() -> None:
    problem = Problem(SMALL, (Objective("quality", "max", "1"),))
    rows = stratified(problem, 500, np.random.default_rng(0))
    assert len(rows) == len(np.unique(EVERYTHING, axis=0)) == 144


@given(seeds, st.integers(1, 3), st.integers(1, 6))
def test_the_greedy_choice_takes_the_greatest_gain_each_time(seed: int, m: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    losses, front = rng.random((25, m)), rng.random((4, m))
    both = np.concatenate([losses, front])
    reference = both.max(axis=0) + MARGIN * np.ptp(both, axis=0)
    known = front
    for row in greedy(losses, front, n):
        gains = [hypervolume(np.vstack([known, one]), reference) - hypervolume(known, reference) for one in losses]
        assert gains[row] == pytest.approx(max(gains))
        assert gains[row] > 0
        known = np.vstack([known, losses[row]])


def batch_of(rows: Any, losses: Any, violation: Any = 0.0) -> Batch:
    return Batch(rows, np.array(losses, dtype=float), np.broadcast_to(violation, len(rows)).astype(float))


def surrogate_of(predicted: Batch) -> Surrogate:
    """Return a surrogate that says of each genotype the same as a batch does."""
    known = {row.tobytes(): loss for row, loss in zip(predicted.genotypes, predicted.losses, strict=True)}

    def value(column: int) -> Any:
        return lambda rows: np.array([known[row.tobytes()][column] for row in rows])

    names = ("first", "second")
    objectives = tuple(Objective(name, "min", "1", exact=True) for name in names)
    return Surrogate(Problem(SMALL, objectives, {name: value(column) for column, name in enumerate(names)}), {})


@pytest.mark.parametrize("choose", [by_hypervolume, by_expected_hypervolume, by_spread])
def test_what_is_chosen_was_not_measured_and_is_allowed_first(choose: Any) -> None:
    rows = np.unique(EVERYTHING, axis=0)[:40]
    losses = np.random.default_rng(0).random((40, 2))
    measured = batch_of(rows[:10], losses[:10])
    allowed = np.arange(40) % 2 == 0
    predicted = batch_of(rows, losses + 9 * ~allowed[:, None], np.where(allowed, 0.0, 0.5))
    chosen = {row.tobytes() for row in choose(surrogate_of(predicted), predicted, measured, 20, RNG)}
    assert len(chosen) == 20
    assert not chosen & {row.tobytes() for row in rows[:10]}
    assert {row.tobytes() for row in rows[10::2]} <= chosen, "all 15 that are allowed"


@pytest.mark.parametrize("choose", [by_hypervolume, by_expected_hypervolume])
def test_nothing_measured_and_nothing_allowed_is_no_obstacle(choose: Any) -> None:
    rows = np.unique(EVERYTHING, axis=0)[:10]
    predicted = batch_of(rows, np.random.default_rng(0).random((10, 2)), 1.0)
    nothing = batch_of(rows[:0], np.empty((0, 2)))
    assert len(choose(surrogate_of(predicted), predicted, nothing, 3, RNG)) == 3


def test_the_ends_of_a_front_are_worth_what_the_report_says() -> None:
    """A little better end counts up to the worst that was measured, which is far away; the middle only to the front."""
    rows = np.unique(EVERYTHING, axis=0)[:5]
    measured = batch_of(rows[:3], [[0.0, 1.0], [1.0, 0.0], [9.0, 9.0]])
    predicted = batch_of(rows[3:], [[0.5, 0.5], [0.9, -0.1]])
    chosen = by_expected_hypervolume(surrogate_of(predicted), predicted, measured, 1, RNG)
    np.testing.assert_array_equal(chosen, rows[4:])


def test_optimism_improves_predictions_in_the_direction_of_each_objective() -> None:
    rows = np.unique(EVERYTHING, axis=0)
    rng = np.random.default_rng(1)
    model = GaussianProcess()
    model.fit(one_hot(SMALL, rows[:20]), rng.random(20))
    for direction in ("min", "max"):
        problem = Problem(SMALL, (Objective("value", direction, "1"),))
        plain = Surrogate(problem, {"value": model})(rows).losses
        hopeful = Surrogate(problem, {"value": model}, optimism=2)(rows).losses
        np.testing.assert_allclose(plain - hopeful, 2 * model.std(one_hot(SMALL, rows))[:, None])
    ridge = Ridge()
    ridge.fit(one_hot(SMALL, rows[:20]), rng.random(20))
    np.testing.assert_array_equal(
        Surrogate(problem, {"value": ridge})(rows).losses, Surrogate(problem, {"value": ridge}, optimism=2)(rows).losses
    )


def test_a_gaussian_process_is_surer_where_it_has_examples(mbv3_space: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    rows = mbv3_space.sample_distinct(120, rng)
    features = levels(mbv3_space, rows)
    target = features @ rng.normal(size=features.shape[1])
    model = GaussianProcess()
    model.fit(features[:80], target[:80])
    deviation = model.std(features)
    assert deviation[:80].max() < deviation[80:].min()
    far = np.abs(model.predict(features[80:]) - target[80:]) / deviation[80:]
    assert 0.4 < np.sqrt(np.mean(far**2)) < 2.5, "as far off as it says"


def test_levels_learn_from_fewer_examples(mbv3_space: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    weights = np.sort(rng.random((mbv3_space.n_genes, 3)), axis=1).ravel()  # larger options are better
    rows = mbv3_space.sample_distinct(320, rng)
    target = mbv3_space.one_hot(rows) @ weights
    errors = []
    for describe in (one_hot, levels):
        model = Ridge()
        model.fit(describe(mbv3_space, rows[:20]), target[:20])
        errors.append(np.corrcoef(model.predict(describe(mbv3_space, rows[20:])), target[20:])[0, 1])
    assert errors[1] > errors[0] + 0.2


def test_changes_are_of_active_genes_and_complete() -> None:
    rng = np.random.default_rng(0)
    member = np.array([[1, 0, 2, 0, 0, 1, 0]])
    changed = SMALL.canonical(single_changes(SMALL, member, rng))
    # ks of three active blocks has two other options each; both depths have one; the width has none
    assert len(changed) == 3 * 2 + 2
    assert len(np.unique(changed, axis=0)) == len(changed)
    assert not (changed == member).all(axis=1).any()
    many = SMALL.canonical(random_change(SMALL, np.repeat(member, 200, axis=0), rng))
    assert not (many == member).all(axis=1).any()


def test_changes_of_genes_with_many_ordered_options_double_their_steps() -> None:
    space = SearchSpace([DesignVariable("width", tuple(range(8, 520, 8))), DesignVariable("kind", tuple("abcdefghij"))])
    changed = single_changes(space, np.array([[20, 3]]), np.random.default_rng(0))
    widths = sorted(changed[changed[:, 1] == 3, 0])
    assert widths == [4, 12, 16, 18, 19, 21, 22, 24, 28, 36, 52]
    assert len(changed) == len(widths) + 9


def test_the_start_tells_genes_of_many_ordered_options_apart() -> None:
    space = SearchSpace([DesignVariable("width", tuple(range(64)), 10)])
    rows = stratified(Problem(space, (Objective("quality", "max", "1"),)), 100, np.random.default_rng(0))
    assert (space.check(rows) == rows).all()
    assert np.ptp(rows, axis=1).mean() > 20, "not all of a sub-network's genes have the same place"


def test_an_additive_landscape_is_solved_by_the_first_sweeps(analytic_mbv3: Any) -> None:
    problem = analytic_mbv3.problem()
    algorithm = ParetoLocalSearch(problem.space, 2, np.random.default_rng(0), population=200)
    count = 0
    while count < 1500:
        rows = algorithm.ask()
        algorithm.tell(make_batch(problem, rows, analytic_mbv3.values(rows, 2)))
        count += len(rows)
    cost, quality = analytic_mbv3._cost, analytic_mbv3._quality
    best = problem.space.lightest((0.5 * cost - 0.5 * quality)[None])
    target = (problem.space.one_hot(best) @ (0.5 * cost - 0.5 * quality))[0]
    found = (problem.space.one_hot(algorithm._front.genotypes) @ (0.5 * cost - 0.5 * quality)).min()
    assert found == pytest.approx(target, abs=0.02 * abs(target))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": "sobol"}, "unknown mode.start 'sobol': choose one of stratified, uniform"),
        ({"features": "x"}, "unknown mode.features"),
        ({"choice": "x"}, "unknown mode.choice"),
        ({"optimism": -1}, r"mode\.optimism >= 0"),
        ({"start_size": 0}, r"mode\.start_size >= 1"),
    ],
)
def test_senseless_parts_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        Linas(**settings)


def test_the_defaults_beat_the_setting_of_the_paper(analytic_mbv3: Any) -> None:
    from dynas.algos.named import algorithm
    from dynas.predictors.named import predictor

    paper = Linas(20, 2000, None, None, "uniform", "one_hot", 0, "spread")
    volumes = []
    for mode, algo, name in ((Linas(10, 2000), "pareto_local_search", "gp"), (paper, "nsga2", "ridge")):
        evaluate = Evaluator(analytic_mbv3.problem(), Serial(analytic_mbv3.measure()), 60)
        mode.run(evaluate, algorithm(algo), {"quality": predictor(name)}, np.random.default_rng(0))
        corners = np.stack([analytic_mbv3.space.smallest(), analytic_mbv3.space.largest()])
        reference = make_batch(evaluate.problem, corners, analytic_mbv3.values(corners, 2)).losses.max(axis=0)
        volumes.append(hypervolume(evaluate.measured.losses, reference))
    assert volumes[0] > 1.05 * volumes[1]
