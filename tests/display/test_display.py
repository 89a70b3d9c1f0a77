"""What a user sees while a command measures: on a terminal of 80 columns, and where it is piped."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from dynas.commands.sweep import number_of_jobs
from dynas.core.activity import doing, each
from dynas.core.callback import Callbacks, Progress
from dynas.core.evaluation import Evaluation, Measurement, PredictorQuality
from dynas.core.objectives import Objective
from dynas.core.problem import Problem
from dynas.core.space import DesignVariable, SearchSpace
from dynas.core.stopping import Stopping
from dynas.display.display import Display, Title, clock_text, duration_text
from dynas.display.search_display import SearchDisplay

SPACE = SearchSpace([DesignVariable("width", (1, 2, 3, 4))])
PROBLEM = Problem(SPACE, (Objective("top1", "max", "%"), Objective("latency", "min", "ms")))


TITLE = Title("dynas search")


def told(display: SearchDisplay) -> Callbacks:
    """What a search tells a display by."""
    return Callbacks([display], Progress(PROBLEM, 20), Stopping())


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system=None, width=80, markup=False, highlight=False)


def pipe() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=10_000, markup=False, highlight=False)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def evaluation(index: int, seconds: float, iteration: int = 1, error: str = "") -> Evaluation:
    values = (np.nan, np.nan) if error else (50.0 + index, 10.0 + index)
    genotype = np.array([index % 4])
    return Evaluation(index, iteration, f"w{index}", genotype, Measurement(values, {}, seconds, error), "")


def seen(display: Display) -> str:
    console = terminal()
    console.print(display.panel())
    return printed(console)


def test_a_panel_stands_there_before_anything_is_measured() -> None:
    console = terminal()
    with SearchDisplay(Path("outputs/run"), TITLE, console) as display:
        assert "starting" in printed(console)
        with doing("reading data"):
            assert "reading data" in seen(display)
            assert "outputs/run" in seen(display)
        assert "time left" not in seen(display)
        display.begin(20)
        with doing("extracting"):
            assert "not known yet" in seen(display)


def test_candidates_of_a_group_are_told_one_by_one_and_give_a_first_guess() -> None:
    with SearchDisplay(Path("run"), TITLE, terminal()) as display:
        display.begin(20)
        with doing("measuring top1"):
            steps = each(["a", "b", "c"])
            next(steps)
            assert "measuring top1 1 of 3" in seen(display)
            assert "not known yet" in seen(display)
            next(steps)
            assert "measuring top1 2 of 3" in seen(display)
            assert "at least 0:0" in seen(display)
        with doing("measuring latency"):
            assert "at least 0:0" in seen(display)


def test_what_is_known_of_a_search_is_in_the_panel() -> None:
    with SearchDisplay(Path("run"), TITLE, terminal()) as display:
        search = told(display)
        display.begin(20)
        for index in range(1, 6):
            search.evaluated(evaluation(index, 2.0))
        search.evaluated(evaluation(6, 2.0, error="too hot"))
        search.fitted(1, [PredictorQuality("top1", 5, 1.5, 0.9), PredictorQuality("latency", 5, 2.5, 0.8)])
        text = seen(display)
    for part in ("6 / 20", "5 sub-networks", "2.00 s", "MAPE 1.50 %", "hypervolume", "failed", "elapsed"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80


def test_time_left_counts_the_confirming_in() -> None:
    with SearchDisplay(Path("run"), TITLE, terminal()) as display:
        display.expect_confirming(["latency"], 2)
        search = told(display)
        display.begin(5)
        for index in range(1, 6):
            search.evaluated(evaluation(index, 30.0))
        assert display.left_text() in ("4:59", "5:00"), "5 members, twice each"
        display.confirmed(evaluation(1, 6.0), 9)
        assert display.left_text() in ("0:53", "0:54")
        display.total = 9  # as where a search has ended before its budget was spent
        display.confirmed(evaluation(1, 6.0), 0)
        assert display.left_text() == "0:00"


def test_a_long_run_is_estimated_by_its_first_candidate_and_a_short_one_is_not() -> None:
    console = pipe()
    with SearchDisplay(Path("run"), TITLE, console) as display:
        search = told(display)
        display.begin(250, 0, 2)
        for index in range(1, 6):
            search.evaluated(evaluation(index, 4.1))
    assert printed(console).startswith("about 9 min for 250 evaluations (4.1 s each on 2 workers)\n")
    assert printed(console).count("about") == 1
    console = pipe()
    with SearchDisplay(Path("run"), TITLE, console) as display:
        search = told(display)
        display.begin(250)
        search.evaluated(evaluation(1, 0.1))
    assert "about" not in printed(console)


def test_a_run_that_goes_on_is_estimated_by_what_it_measures_now() -> None:
    console = pipe()
    with SearchDisplay(Path("run"), TITLE, console) as display:
        search = told(display)
        display.begin(100, 2)
        for index, seconds in enumerate([1.0, 1.0, 60.0], start=1):
            search.evaluated(evaluation(index, seconds))
    assert "about 1 h 38 min for 98 evaluations (60.0 s each)" in printed(console)


def test_a_second_run_is_counted_by_itself_and_what_follows_is_not_counted() -> None:
    console = pipe()
    with SearchDisplay(Path("run"), TITLE, console) as display:
        for budget in (3, 2):
            search = told(display)
            display.begin(budget)
            for index in range(1, budget + 1):
                search.evaluated(evaluation(index, 0.1))
            search.ended("finished")
        display.begin(0)
        with doing("tuning"):
            assert display.line() == "0:00 elapsed, now: tuning"
            assert "evaluations" not in seen(display)
    lines = printed(console).splitlines()
    assert [line.split(",")[0] for line in lines] == ["iteration 1: 3/3 evaluations", "iteration 1: 2/2 evaluations"]


def test_piped_lines_say_what_goes_on_and_each_iteration_has_its_own() -> None:
    console = pipe()
    with SearchDisplay(Path("run"), TITLE, console) as display:
        search = told(display)
        display.begin(20)
        with doing("timing the reference"):
            assert display.line() == "0:00 elapsed, 0/20 evaluations, not known yet left, now: timing the reference"
        for index, iteration in [(1, 1), (2, 1), (3, 2)]:
            search.evaluated(evaluation(index, 0.1, iteration))
        search.ended("finished")
    lines = printed(console).splitlines()
    assert [line.split(",")[0] for line in lines] == ["iteration 1: 2/20 evaluations", "iteration 2: 3/20 evaluations"]


def test_the_log_has_lines_and_no_python(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dynas.display")
    display = SearchDisplay(Path("run"), TITLE, pipe())
    search = told(display)
    display.begin(20)
    search.evaluated(evaluation(1, 0.1))
    search.fitted(1, [PredictorQuality("top1", 5, 1.5, 0.9), PredictorQuality("latency", 5, 2.5, 0.8)])
    display.confirmed(evaluation(1, 0.1), 3)
    assert caplog.messages == [
        "evaluation 1: w1 51, 11",
        "predictor of top1 after iteration 1: MAPE 1.50 %, Kendall tau 0.900",
        "predictor of latency after iteration 1: MAPE 2.50 %, Kendall tau 0.800",
        "confirmation 1: w1 51, 11",
    ]


@pytest.mark.parametrize(
    ("arguments", "jobs"),
    [(["seed=1,2,3"], 3), (["-m", "seed=range(0,4)", "algo=a,b", "budget=20"], 8), (["mode.ranges={l: [1, 2]}"], 1)],
)
def test_jobs_of_a_sweep_are_counted(arguments: list[str], jobs: int) -> None:
    assert number_of_jobs(arguments) == jobs


def test_times_in_words() -> None:
    assert [clock_text(seconds) for seconds in (7, 125, 3725)] == ["0:07", "2:05", "1:02:05"]
    assert [duration_text(seconds) for seconds in (61, 1020, 3600, 12000)] == ["1 min", "17 min", "1 h", "3 h 20 min"]
