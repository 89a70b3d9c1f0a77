"""Runs are grouped by what differs, averaged over seeds, and refused where their values mean different things."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dynas.errors import DynasError
from dynas.report.compare import compare
from dynas.report.groups import chosen_runs, group_names
from dynas.report.select import parse_reference, with_objectives
from dynas.runs.load import Run
from tests.helpers.run_folders import FIVE, LATENCY, MACS, NAN, TOP1, search

RANDOM = {"mode": "validation", "algo": "random"}


def refusal(runs: Sequence[Run]) -> str:
    """Why runs cannot be compared."""
    with pytest.raises(DynasError) as refused:
        compare(runs)
    return str(refused.value)


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
    assert linas.evaluations_to(random.hypervolume) == 3  # the mean is 10, 36.5, 44
    assert linas.speed_up(random) == 2 / 3  # random is at its 40 after 2
    assert math.isnan(random.evaluations_to(linas.hypervolume))
    assert math.isnan(random.speed_up(linas))
    assert math.isnan(random.standard_error)
    assert math.isnan(linas.evaluations_to(55))  # one of the two seeds gets there, the mean does not
    assert comparison.notes == (
        "time beside measurements is not known for runs that are unfinished, resumed or from elsewhere",
    )


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


def test_evaluations_are_left_out_beside_searches(tmp_path: Path) -> None:
    evaluated = search(tmp_path / "again", FIVE)
    choices = {key: evaluated.choices[key] for key in ("supernet", "data", "hardware")}
    evaluated = dataclasses.replace(evaluated, facts={**evaluated.facts, "choices": choices})
    comparison = compare([evaluated, search(tmp_path / "run", FIVE)])
    assert [run.folder.name for run in comparison.runs] == ["run"]
    assert any("again' is no search" in note for note in comparison.notes)
    assert compare([evaluated]).groups[0].hypervolume == 52


def test_settings_that_are_null_do_not_tell_groups_apart(tmp_path: Path) -> None:
    old = search(tmp_path / "old", FIVE, config={"mode": {"population": 50}})
    new = search(tmp_path / "new", FIVE, config={"mode": {"population": 50, "schedule": None}, "patience": None})
    assert len(set(group_names([old, new]))) == 1


def test_a_seed_that_appears_twice_is_noted(tmp_path: Path) -> None:
    comparison = compare([search(tmp_path / "a", FIVE, seed=3), search(tmp_path / "b", FIVE, seed=3)])
    assert "seed 3" in comparison.notes[0]


def test_other_objectives_are_refused(tmp_path: Path) -> None:
    first = search(tmp_path / "first", FIVE)
    for name, objectives in {
        "name": [TOP1, MACS],
        "unit": [TOP1, LATENCY | {"unit": "s"}],
        "direction": [TOP1 | {"direction": "min"}, LATENCY],
    }.items():
        other = search(tmp_path / name, FIVE, objectives)
        with pytest.raises(
            DynasError, match=rf"differ in objectives: .* in '.*first'; .* in '.*{name}': .*--objectives"
        ):
            compare([first, other])
    assert "--objectives top1" in refusal([first, search(tmp_path / "shared", FIVE, [TOP1, MACS])])
    assert "--objectives" not in refusal([first, search(tmp_path / "none", [(1,)], [MACS])])


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
    assert "/a'; " in refusal(timed)
    assert "/b': their values cannot be compared" in refusal(timed)
    counted = [
        search(tmp_path / "c", FIVE, [TOP1, MACS]), search(tmp_path / "d", FIVE, [TOP1, MACS], **other)
    ]  # fmt: skip
    assert sum(len(group.runs) for group in compare(counted).groups) == 2


def test_accuracy_on_other_data_is_incomparable(tmp_path: Path) -> None:
    other = {"choices": {"data": "imagenet"}}
    with pytest.raises(DynasError, match=r"differ in data: fashion_mnist in '.*a'; imagenet in '.*b': .*--where data="):
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
    assert group_names([runs[0], runs[3]]) == ["ridge", "mlp"]
    assert group_names([runs[0], runs[4]]) == ["budget=5", "budget=9"]


def test_a_predictor_that_is_not_used_is_not_named(tmp_path: Path) -> None:
    linas = search(tmp_path / "a", FIVE)
    mlp = search(tmp_path / "b", FIVE, choices={"predictor": "mlp"})
    shared = {"mode": {"population": 50}, "data": {"source": "embedded"}, "hardware": {"threads": 1}}
    random, random_mlp = (
        search(tmp_path / name, FIVE, choices=RANDOM | {"predictor": name}, config=shared | {"predictor": {"of": name}})
        for name in ("random_ridge", "random_mlp")
    )
    assert group_names([random, random_mlp]) == ["validation random"] * 2
    assert group_names([linas, random]) == ["linas nsga2", "validation random"]
    assert group_names([linas, mlp, random]) == ["linas nsga2 ridge", "linas nsga2 mlp", "validation random"]


def test_predictors_of_single_objectives_and_precisions_tell_groups_apart(tmp_path: Path) -> None:
    plain = search(tmp_path / "plain", FIVE, config={"objectives": {"top1": {"predictor": None}}, "precision": "fp32"})
    own = search(tmp_path / "own", FIVE, config={"objectives": {"top1": {"predictor": "svr_rbf"}}, "precision": "fp32"})
    assert group_names([plain, own]) == ["top1.predictor=none", "top1.predictor=svr_rbf"]
    precisions = [
        search(tmp_path / name, FIVE, choices={"precision": name}, config={"precision": name})
        for name in ("fp32", "int8")
    ]
    assert group_names(precisions) == ["fp32", "int8"]


def test_objectives_in_another_order_are_the_same(tmp_path: Path) -> None:
    runs = [
        search(tmp_path / "a", FIVE),
        search(tmp_path / "b", [row[::-1] for row in FIVE], [LATENCY, TOP1], seed=1),
    ]  # fmt: skip
    (group,) = compare(with_objectives(runs, None)).groups
    np.testing.assert_allclose(group.common[0], group.common[1])


def test_a_subset_of_objectives_and_a_reference_point_are_used(tmp_path: Path) -> None:
    run = search(tmp_path / "a", FIVE, [TOP1, LATENCY | {"bound": 5.0}])
    (latency,) = with_objectives([run], ["latency"])
    assert compare([latency], (6.0,)).groups[0].hypervolume == 2
    (top1,) = with_objectives([run], ["top1"])
    assert compare([top1], (70.0,)).groups[0].hypervolume == 20  # the bound of latency is gone with it
    assert compare([run], parse_reference("latency=6,top1=87", run.objectives)).reference == (87, 6)
    for text, message in {
        "top1=87": "lacks latency",
        "top1=a,latency=6": "no number",
        "size=1": "unknown objective",
    }.items():
        with pytest.raises(DynasError, match=message):
            parse_reference(text, run.objectives)
    with pytest.raises(DynasError, match="did not measure 'macs'"):
        with_objectives([run], ["macs"])


def test_time_is_divided_into_measurements_and_search(tmp_path: Path) -> None:
    whole = search(tmp_path / "a", FIVE, seconds=10.0)  # five measurements of half a second
    (group,) = compare([whole]).groups
    assert (group.measurement_seconds, group.search_seconds) == (2.5, 7.5)
    resumed = search(tmp_path / "b", FIVE, seconds=1.0)
    assert math.isnan(compare([whole, resumed]).groups[0].search_seconds)


def test_runs_are_chosen_by_what_they_have(tmp_path: Path) -> None:
    runs = [search(tmp_path / "a", FIVE), search(tmp_path / "b", FIVE, choices=RANDOM, seed=3)]
    assert chosen_runs(runs, ["mode=linas"]) == runs[:1]
    assert chosen_runs(runs, ["seed=3", "mode.population=50"]) == runs[1:]
    with pytest.raises(DynasError, match="leaves no run; algo is nsga2, random"):
        chosen_runs(runs, ["algo=ga"])
    with pytest.raises(DynasError, match="KEY=VALUE with one of algo"):
        chosen_runs(runs, ["colour=red"])


def test_single_settings_bounds_and_weights_tell_groups_apart(tmp_path: Path) -> None:
    config = {"mode": {"population": 20}, "data": {"source": "embedded"}, "hardware": {"threads": 1}}
    plain = search(tmp_path / "plain", FIVE)
    small = search(tmp_path / "small", FIVE, config=config)
    bound = search(tmp_path / "bound", FIVE, [TOP1, LATENCY | {"bound": 6.0}])
    trained = [search(tmp_path / name, FIVE, weights_sha256=name * 8) for name in ("aa", "bb")]
    assert group_names([plain, small]) == ["population=50", "population=20"]
    assert group_names([plain, bound]) == ["latency.bound=none", "latency.bound=6"]
    assert group_names(trained) == ["weights=:aaaaaa", "weights=:bbbbbb"]
