"""Claims are judged by the numbers of the runs, and the verdict says how far they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dynas.paper.across import eta_squared, explained, nearer, smaller_lead
from dynas.paper.claims import (
    DIRECTION,
    FAILS,
    HOLDS,
    UNTRIED,
    Claim,
    Finding,
    count,
    of_difference,
    of_ratio,
    of_truth,
    read_claims,
    untried,
    write_claims,
)
from dynas.paper.comparison import labelled
from dynas.paper.judges import ahead, alike, catches_up, fewer, more_diverse, near_the_best, never, same
from dynas.paper.normalised import box, volume
from dynas.paper.predictors import Studies, few_do, ordered, precise, simpler_is_better
from dynas.paper.tables import cpu_seconds, summary
from dynas.predictors.study import Average
from dynas.report.compare import Comparison, compare
from tests.helpers.run_folders import search

FAST = [(80, 10), (90, 4), (90, 4), (90, 4)]  # hypervolume up to 80 %, 10 ms: 0, 60, 60, 60
SLOW = [(80, 10), (85, 8), (85, 7), (88, 4)]  # 0, 10, 15, 48


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("runs")
    runs = [search(folder / "fast", FAST), search(folder / "slow", SLOW, choices={"mode": "validation"})]
    assert np.isnan(cpu_seconds(runs)), "these do not tell"
    return labelled(compare(runs), {folder / "fast": "fast", folder / "slow": "slow"})


def test_hypervolumes_are_shares_of_what_was_measured(comparison: Comparison) -> None:
    assert box(comparison) == pytest.approx(60)
    for name, evaluations, share in (("fast", None, 1.0), ("slow", 3, 0.25)):
        mean, error = volume(comparison, name, evaluations)
        assert mean == share
        assert np.isnan(error), "of a single run"
    assert "top1 80 %; latency 10 ms" in summary(comparison)[0]


def test_searches_are_set_against_each_other(comparison: Comparison) -> None:
    found = ahead("fast", ("slow",), 3)(comparison)
    assert (found.here, found.verdict) == ("fast 1.000, slow 0.250 after 3 evaluations", DIRECTION), "by single runs"
    assert same("fast", "slow")(comparison).verdict == UNTRIED
    assert ahead("slow", ("fast",))(comparison).verdict == FAILS
    assert ahead("fast", ("slow",), 99)(comparison).here.endswith("after 4 evaluations"), "they have no more"
    assert alike(["fast", "slow"], 0.2)(comparison).verdict == HOLDS
    assert alike(["fast", "slow"], 0.1)(comparison).verdict == FAILS
    assert near_the_best(["slow"], 0.1)(comparison).here.startswith("at most 20.0% behind the best: slow 0.800, fast")
    assert never("slow", "fast")(comparison).verdict == HOLDS
    assert never("fast", "slow")(comparison).verdict == FAILS
    assert more_diverse("fast", "slow")(comparison).here.startswith("3 members over 0.0 ms, slow 1 over 0.0 ms")


def test_a_search_that_a_small_budget_makes_another_one_is_not_judged(comparison: Comparison) -> None:
    judged = Claim("Figure 11b", "a population matters", "50", ahead("fast", ("slow, population 30",))).judged(
        comparison
    )
    assert judged.verdict == UNTRIED
    assert judged.here == "'slow, population 30' is the same search as another one at this size"


def test_evaluations_are_counted_to_a_goal(comparison: Comparison) -> None:
    found = fewer("fast", "slow", "slow", 2.0)(comparison)
    assert (found.here, found.verdict) == ("2.00 times: 2 instead of 4", HOLDS)
    assert fewer("fast", "slow", "slow", 2.1)(comparison).verdict == DIRECTION
    assert fewer("fast", "slow", "fast", 2.0)(comparison).here == "more than 2.00 times: 2 instead of 4"
    assert fewer("fast", "slow", "fast", 9.0)(comparison).verdict == DIRECTION
    assert fewer("slow", "fast", "fast", 2.0)(comparison).verdict == FAILS
    found = catches_up("slow", "fast", 20)(comparison)
    assert (found.here, found.verdict) == ("slow has what fast has after 4 evaluations not in 4", DIRECTION)
    assert catches_up("slow", "fast", 4)(comparison).verdict == HOLDS
    assert catches_up("fast", "slow", 4)(comparison).verdict == FAILS


def test_landscapes_are_set_against_each_other(comparison: Comparison) -> None:
    both = {"here": comparison, "there": comparison}
    assert nearer("slow", ("here",), 4)(both).here == "0.800 on here, 0.800 on there of the box after 4 evaluations"
    assert smaller_lead("fast", "slow", ("here",), 4)(both).verdict == FAILS, "they are equal"


def test_seeds_decide_how_far_a_difference_holds(tmp_path: Path) -> None:
    values = {"a": (86, 88, 90), "b": (85, 87, 89), "c": (50, 51, 52)}
    runs, labels = [], {}
    for mode, (name, some) in zip(("linas", "validation", "oneshot"), values.items(), strict=True):
        for seed, top1 in enumerate(some):
            folder = tmp_path / f"{name}{seed}"
            runs.append(search(folder, [(40, 10), (top1, 5)], choices={"mode": mode}, seed=seed))
            labels[folder] = name
    comparison = labelled(compare(runs), labels)
    assert ahead("a", ("b",))(comparison).verdict == DIRECTION
    assert ahead("a", ("b", "c"))(comparison).verdict == DIRECTION
    assert ahead("a", ("c",))(comparison).verdict == HOLDS
    assert same("a", "b")(comparison).verdict == HOLDS
    assert same("a", "c")(comparison).verdict == FAILS


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (of_ratio(2.0, 2.0, ""), HOLDS),
        (of_ratio(1.5, 2.0, ""), DIRECTION),
        (of_ratio(0.9, 2.0, ""), FAILS),
        (of_difference(0.3, 0.1, ""), HOLDS),
        (of_difference(0.1, 0.1, ""), DIRECTION),
        (of_difference(0.0, 0.1, ""), FAILS),
        (of_difference(0.3, float("nan"), ""), DIRECTION),
        (of_truth(True, ""), HOLDS),
    ],
)
def test_a_verdict_is_by_the_papers_number_and_by_the_errors(found: Finding, verdict: str) -> None:
    assert found.verdict == verdict


def test_claims_are_written_read_and_counted(tmp_path: Path) -> None:
    claims = [
        Claim("Figure 3", "a | b", "—", lambda number: of_ratio(number, 2, f"{number}")).judged(3),
        untried("Figure 4", "c", "—", "no GPU"),
    ]
    write_claims(tmp_path, claims)
    assert read_claims(tmp_path) == claims
    assert [claim.verdict for claim in claims] == [HOLDS, UNTRIED]
    assert count(claims) == "2 claims: 1 holds, 0 in direction only, 0 do not hold, 1 cannot be tried"
    assert read_claims(tmp_path / "nothing") == []


def test_variance_is_shared_out_between_genes(tmp_path: Path) -> None:
    run = search(tmp_path / "run", [(10, 1), (20, 1), (30, 1), (10, 1), (20, 1), (30, 1)])
    share = explained(run)  # its first objective follows the last gene of ks, which repeats after three
    assert share["ks"] == pytest.approx(1.0)
    assert share["width"] == 0.0
    assert eta_squared(np.array([1, 1, 2, 2]), np.array([0.0, 2.0, 0.0, 2.0])) == 0.0


def study(mape: dict[str, tuple[float, float]], tau: float) -> Studies:
    """What predictors did on two supernets, by their errors after 100 and after 1,000 examples."""
    rows = [
        Average("top1", name, size, 100, error, 0.1, tau, 0.01)
        for name, errors in mape.items()
        for size, error in zip((100, 1000), errors, strict=True)
    ]
    return Studies({"one": rows, "two": rows}, {})


def test_predictors_are_compared_with_what_the_paper_says() -> None:
    good = study({"ridge": (1.2, 0.9), "svr_rbf": (1.1, 0.9), "stacked": (1.0, 0.6), "mlp": (2.0, 0.5)}, 0.84)
    assert precise(good).here == "one 0.60 %, two 0.60 %"
    assert {judge(good).verdict for judge in (precise, ordered, few_do, simpler_is_better)} == {HOLDS}
    bad = study({"ridge": (3.0, 1.0), "svr_rbf": (1.1, 0.9), "stacked": (3.0, 1.0), "mlp": (2.0, 0.5)}, 0.83)
    assert {judge(bad).verdict for judge in (precise, ordered, few_do, simpler_is_better)} == {FAILS}
