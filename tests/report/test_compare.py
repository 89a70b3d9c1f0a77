"""Runs are grouped by what differs, averaged over seeds, and refused where their values mean different things."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from dynas.errors import DynasError
from dynas.report.compare import compare
from dynas.report.groups import group_names
from tests.report.runs import FIVE, LATENCY, MACS, NAN, TOP1, search

RANDOM = {"mode": "validation", "algo": "random"}


def test_seeds_are_averaged_up_to_one_reference_point(tmp_path: Path) -> None:
    # worst of all three runs: 80 %, 10 ms
    runs = [
        search(tmp_path / "a0", FIVE, seed=0),  # 0, 48, 48, 48, 52
        search(tmp_path / "a1", [(84, 5), (85, 5), (88, 5), (80, 9), (88, 3)], seed=1),  # 20, 25, 40, 40, 56
        search(tmp_path / "b0", [(81, 9), (90, 6), (80, 10), (82, 8), (83, 7)], choices=RANDOM),  # 1, 40, 40, 40, 40
    ]
    comparison = compare(runs)
    assert comparison.reference == (80, 10)
    linas, random = comparison.groups
    assert (linas.name, random.name) == ("linas nsga2", "validation random")
    np.testing.assert_allclose(linas.common, [[0, 48, 48, 48, 52], [20, 25, 40, 40, 56]])
    assert linas.hypervolume == 54
    assert linas.standard_error == pytest.approx(2.0)  # deviations -2 and 2: sqrt(8 / 1) / sqrt(2)
    assert linas.front_size == pytest.approx((2 + 1) / 2)
    assert linas.evaluations_to(random.hypervolume) == (2 + 3) / 2
    assert math.isnan(random.evaluations_to(linas.hypervolume))
    assert math.isnan(random.standard_error)
    assert math.isnan(linas.evaluations_to(55))  # one of the two seeds gets there
    assert comparison.notes == ()


def test_runs_of_different_length_are_compared_where_the_shortest_ends(tmp_path: Path) -> None:
    runs = [
        search(tmp_path / "whole", FIVE, seed=0),
        search(tmp_path / "half", FIVE[:2], seed=1, budget=5, status="interrupted"),
    ]
    comparison = compare(runs)
    (group,) = comparison.groups
    assert group.evaluations == 2
    assert group.hypervolume == 48
    assert group.standard_error == 0
    assert group.front_size == 1
    assert any("half' is interrupted" in note for note in comparison.notes)
    assert any("linas nsga2 are compared at 2 evaluations" in note for note in comparison.notes)


def test_runs_that_measured_nothing_are_left_out_and_noted(tmp_path: Path) -> None:
    empty = search(tmp_path / "empty", [(NAN, NAN)], seed=1, budget=5)
    comparison = compare([search(tmp_path / "run", FIVE), empty])
    assert len(comparison.groups[0].runs) == 1
    assert "empty' has measured nothing" in comparison.notes[0]
    with pytest.raises(DynasError, match="none of the runs has measured"):
        compare([empty])


def test_a_seed_that_appears_twice_is_noted(tmp_path: Path) -> None:
    comparison = compare([search(tmp_path / "a", FIVE, seed=3), search(tmp_path / "b", FIVE, seed=3)])
    assert "seed 3" in comparison.notes[0]


def test_other_objectives_are_refused(tmp_path: Path) -> None:
    first = search(tmp_path / "first", FIVE)
    for name, objectives in {
        "name": [TOP1, MACS],
        "unit": [TOP1, LATENCY | {"unit": "s"}],
        "direction": [TOP1 | {"direction": "min"}, LATENCY],
        "order": [LATENCY, TOP1],
    }.items():
        with pytest.raises(DynasError, match=rf"first' has the objectives .* but '.*{name}' has"):
            compare([first, search(tmp_path / name, FIVE, objectives)])


@pytest.mark.parametrize(
    "other",
    [
        {"choices": {"hardware": "gpu"}},
        {"choices": {"supernet": "resnet50"}},
        {"config": {"hardware": {"threads": 2}, "data": {"source": "embedded"}}},
        {"machine": {"cpu": "another processor"}},
    ],
    ids=["hardware", "supernet", "threads", "machine"],
)
def test_only_latency_makes_other_circumstances_incomparable(tmp_path: Path, other: dict[str, object]) -> None:
    timed = [search(tmp_path / "a", FIVE), search(tmp_path / "b", FIVE, **other)]
    with pytest.raises(DynasError, match=r"a' was measured with .* but '.*b' with"):
        compare(timed)
    counted = [
        search(tmp_path / "c", FIVE, [TOP1, MACS]), search(tmp_path / "d", FIVE, [TOP1, MACS], **other)
    ]  # fmt: skip
    assert sum(len(group.runs) for group in compare(counted).groups) == 2


def test_accuracy_on_other_data_is_incomparable(tmp_path: Path) -> None:
    other = {"choices": {"data": "imagenet"}}
    with pytest.raises(DynasError, match=r"data=fashion_mnist but .* data=imagenet"):
        compare([search(tmp_path / "a", FIVE, [TOP1, MACS]), search(tmp_path / "b", FIVE, [TOP1, MACS], **other)])
    exact = [MACS, MACS | {"name": "params", "unit": "parameters"}]
    assert len(compare([search(tmp_path / "c", FIVE, exact), search(tmp_path / "d", FIVE, exact, **other)]).groups) == 2


def test_names_say_what_differs_and_nothing_else(tmp_path: Path) -> None:
    config = {"mode": {"population": 20}, "data": {"source": "embedded"}, "hardware": {"threads": 1}}
    runs = [
        search(tmp_path / "a", FIVE, seed=0),
        search(tmp_path / "b", FIVE, seed=1),
        search(tmp_path / "c", FIVE, choices=RANDOM, config=config),  # another mode has other settings anyway
        search(tmp_path / "d", FIVE, choices={"predictor": "mlp"}),
        search(tmp_path / "e", FIVE, budget=9),
    ]
    assert group_names(runs[:2]) == ["linas nsga2"] * 2
    assert group_names(runs[:3]) == ["linas nsga2"] * 2 + ["validation random"]
    assert group_names([runs[0], runs[3]]) == ["linas nsga2 ridge", "linas nsga2 mlp"]
    assert group_names([runs[0], runs[4]]) == ["linas nsga2 budget=5", "linas nsga2 budget=9"]


def test_single_settings_bounds_and_weights_tell_groups_apart(tmp_path: Path) -> None:
    config = {"mode": {"population": 20}, "data": {"source": "embedded"}, "hardware": {"threads": 1}}
    plain = search(tmp_path / "plain", FIVE)
    small = search(tmp_path / "small", FIVE, config=config)
    bound = search(tmp_path / "bound", FIVE, [TOP1, LATENCY | {"bound": 6.0}])
    trained = [search(tmp_path / name, FIVE, weights_sha256=name * 8) for name in ("aa", "bb")]
    assert group_names([plain, small]) == ["linas nsga2 population=50", "linas nsga2 population=20"]
    assert group_names([plain, bound]) == ["linas nsga2", "linas nsga2 latency.bound=6"]
    assert group_names(trained) == ["linas nsga2 weights=:aaaaaa", "linas nsga2 weights=:bbbbbb"]
