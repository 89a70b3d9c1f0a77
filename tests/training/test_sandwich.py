"""The sandwich rule: which sub-networks a step trains, at which rate, and recipes that make no sense."""

from __future__ import annotations

import numpy as np
import pytest

from dynas.core.design import DesignVariable
from dynas.core.space import SearchSpace
from dynas.errors import DynasError
from dynas.supernets.mbv3 import search_space
from dynas.training.sandwich import elastic_genes, learning_rate, step_genotypes
from tests.helpers.training import recipe


def test_a_sandwich_holds_the_largest_the_smallest_and_random_ones() -> None:
    space = search_space()
    everything = np.ones(space.n_genes, dtype=bool)
    rows = step_genotypes(space, everything, recipe(), 0, np.random.default_rng(0))
    assert (rows[0] == space.largest()).all()
    assert (rows[1] == space.smallest()).all()
    assert len({row.tobytes() for row in rows}) == 4


@pytest.mark.parametrize(("every", "due"), [(1, [0, 1, 2, 3, 4]), (2, [0, 2, 4]), (3, [0, 3]), (0, [])])
def test_the_smallest_may_be_trained_in_some_steps_only(every: int, due: list[int]) -> None:
    space = search_space()
    everything = np.ones(space.n_genes, dtype=bool)
    steps = [
        step_genotypes(space, everything, recipe(smallest_every=every), index, np.random.default_rng(0))
        for index in range(5)
    ]
    assert [index for index, rows in enumerate(steps) if (rows[1] == space.smallest()).all()] == due
    assert all((rows[0] == space.largest()).all() for rows in steps)
    assert all((rows[-2:] == steps[0][-2:]).all() for rows in steps), "the random ones are drawn all the same"


@pytest.mark.parametrize(
    "changes", [{"epochs": 0}, {"batch_size": 1}, {"random_subnets": -1}, {"smallest_every": -1}, {"warmup": 1.0}]
)
def test_numbers_that_make_no_sense_are_refused(changes: dict[str, float]) -> None:
    ((name, value),) = changes.items()
    with pytest.raises(DynasError, match=rf"recipe\.{name}={value}: give \d or more"):
        recipe(**changes)


def test_a_network_without_a_choice_is_trained_alone() -> None:
    space = SearchSpace([DesignVariable("network", ("alone",))])
    elastic = elastic_genes(space, recipe(), 0)
    assert not elastic.any()
    assert step_genotypes(space, elastic, recipe(), 0, np.random.default_rng(0)).tolist() == [[0]]


def test_uniform_sampling_draws_random_ones_only() -> None:
    space = search_space()
    everything = np.ones(space.n_genes, dtype=bool)
    rows = step_genotypes(space, everything, recipe(rule="uniform"), 0, np.random.default_rng(0))
    assert (rows == space.canonical(space.random_genes(2, np.random.default_rng(0)))).all()


@pytest.mark.parametrize("changes", [{"rule": "sandwhich"}, {"rule": "uniform", "random_subnets": 0}])
def test_a_rule_that_trains_nothing_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(DynasError, match=r"recipe\.rule=\w+ with recipe\.random_subnets=\d: give sandwich, or uniform"):
        recipe(**changes)


def test_a_teacher_whom_nobody_hears_is_refused() -> None:
    with pytest.raises(DynasError, match=r"recipe\.teacher=original teaches nothing under recipe\.rule=uniform"):
        recipe(rule="uniform", teacher="original")
    with pytest.raises(DynasError, match=r"recipe\.states teaches nothing under recipe\.rule=uniform"):
        recipe(rule="uniform", states=0.1)


@pytest.mark.parametrize("states", [-1.0, float("nan"), float("inf")])
def test_a_weight_of_hidden_states_that_is_none_is_refused(states: float) -> None:
    with pytest.raises(DynasError, match=r"recipe\.states=.*: give 0 or more"):
        recipe(states=states)


def test_progressive_shrinking_opens_one_variable_after_the_other() -> None:
    space = search_space()
    steps = recipe(progressive=("ks", "d", "e"))
    names = np.concatenate([[variable.name] * variable.length for variable in space.variables])
    opened = [sorted(set(names[elastic_genes(space, steps, epoch)])) for epoch in (0, 1, 2, 3, 4, 5)]
    assert opened == [["ks"], ["ks"], ["d", "ks"], ["d", "ks"], ["d", "e", "ks"], ["d", "e", "ks"]]
    rows = step_genotypes(space, elastic_genes(space, steps, 0), steps, 0, np.random.default_rng(0))
    assert all(space.decode(row)["d"] == [4] * 5 and space.decode(row)["e"] == [6] * 20 for row in rows)


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    rates = [learning_rate(recipe(), step, 100) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 0.001


def test_a_recipe_for_a_variable_that_the_space_lacks_is_refused() -> None:
    space: SearchSpace = search_space()
    with pytest.raises(DynasError, match=r"recipe\.progressive names 'w'"):
        elastic_genes(space, recipe(progressive=("w",)), 0)
