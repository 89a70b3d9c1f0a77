"""Pictures say what they show: read from the texts and marks of their SVG."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from dynas.core.objectives import Objective
from dynas.core.scale import is_logarithmic
from dynas.report.compare import compare
from dynas.report.outputs import write_outputs
from dynas.report.plots.pictures import pictures
from dynas.report.plots.run import plot_front, plot_hypervolume
from dynas.report.plots.transfer import plot_transfer
from dynas.report.transfer import targets, transferred
from dynas.runs.load import Run
from tests.helpers.run_folders import FIVE, LATENCY, MACS, TOP1, search

LATENCY_MS = Objective("latency", "min", "ms")
WIDE = [(50 + step, 0.03 * 1.5**step) for step in range(16)]


def texts(path: Path) -> str:
    """The texts of a picture, one a line; those of several lines are joined."""
    return "\n".join(re.findall(r"<!-- (.*?) -->", path.read_text()))


def drawn(name: str, runs: list[Run], folder: Path) -> Path:
    pictures(compare(runs))[name](folder / f"{name}.svg")
    return folder / f"{name}.svg"


@pytest.mark.parametrize(
    ("objective", "values", "wide"),
    [
        (LATENCY_MS, [0.03, 0.4, 11.0], True),
        (LATENCY_MS, [0.03, np.nan, 11.0], True),
        (LATENCY_MS, [17.0, 92.0], False),
        (LATENCY_MS, [0.0, 11.0], False),
        (LATENCY_MS, [-1.0, 11.0], False),
        (LATENCY_MS, [np.nan], False),
        (LATENCY_MS, [], False),
        (Objective("top1", "max", "%"), [0.1, 75.0], False),
    ],
)
def test_the_scale_is_chosen_from_the_values(objective: Objective, values: list[float], wide: bool) -> None:
    assert is_logarithmic(objective, np.array(values)) == wide


@pytest.mark.parametrize("values", [FIVE, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("name", ["fronts", "progress"])
def test_a_wide_range_has_a_logarithmic_axis_that_says_so(
    tmp_path: Path, name: str, values: list[tuple[float, ...]]
) -> None:
    run = search(tmp_path / "a", values, hardware={"batch_size": 32, "threads": 2})
    said = texts(drawn(name, [run], tmp_path))
    assert ("logarithmic, lower is better" in said) == (values is WIDE)
    assert said.count("logarithmic") <= 1
    assert "batch of 32, 2 threads" in said


def test_the_front_of_a_run_is_named(tmp_path: Path) -> None:
    plot_front(search(tmp_path / "a", FIVE), tmp_path / "front.svg")
    assert "front (2 of 5)" in texts(tmp_path / "front.svg")
    plot_front(search(tmp_path / "b", [(80, 10, 3), (85, 5, 1)], [TOP1, LATENCY, MACS]), tmp_path / "three.svg")
    assert {"front of the pair", "front (1 of 2)"} <= set(texts(tmp_path / "three.svg").splitlines())


def test_a_search_of_many_iterations_is_drawn(tmp_path: Path) -> None:
    """More than there are colours."""
    run = search(tmp_path / "a", [(50 + step % 40, 10 + step % 7) for step in range(600)])
    plot_front(run, tmp_path / "front.svg")
    last = texts(tmp_path / "front.svg").split("iteration")[0].split()[-1]
    assert int(last) == run.iterations.max() == 300


@pytest.mark.parametrize("members", [5, 60])
def test_every_member_of_a_front_has_a_mark(tmp_path: Path, members: int) -> None:
    run = search(tmp_path / "a", [(50 + step / 2, 10 + step) for step in range(members)])
    svg = drawn("fronts", [run], tmp_path).read_text()
    line = svg[svg.index('id="line2d', svg.index("PathCollection")) :]
    line = next(part for part in line.split('id="line2d') if "clip-path" in part and "<use" in part)
    assert line.count("<use") == members


@pytest.mark.parametrize(
    ("reference", "from_zero"), [({}, True), ({"reference": (0, 1000)}, False)], ids=["whole", "far"]
)
def test_no_hypervolume_lies_below_its_axis(tmp_path: Path, reference: dict[str, object], from_zero: bool) -> None:
    choices = {"mode": "validation", "algo": "random"}
    runs = [search(tmp_path / "a", FIVE), search(tmp_path / "b", [(86, 5), (87, 4.5)], choices=choices, budget=2)]
    comparison = compare(runs, **reference)  # type: ignore[arg-type]
    pictures(comparison)["hypervolume"](tmp_path / "a.svg")
    said = texts(tmp_path / "a.svg")
    assert ("does not start at 0" not in said) == from_zero
    across, up = (
        said.split("evaluations")[0].split(),
        re.findall(r"^[\d.]+$", said.split("evaluations")[1], re.MULTILINE),
    )
    assert across == ["0", "1", "2", "3", "4", "5"]
    least = min(float(group.common.min()) for group in comparison.groups)
    first, second = map(float, up[:2])
    assert first == 0 if from_zero else first - (second - first) < least


def test_a_name_with_signs_of_a_formula_is_just_a_name(tmp_path: Path) -> None:
    runs = [search(tmp_path / str(k), FIVE, choices={"algo": name}) for k, name in enumerate(("a$x^", "$b$"))]
    assert {"a$x^", "$b$"} <= set(texts(drawn("fronts", runs, tmp_path)).splitlines())


def test_bands_are_explained_where_there_are_any(tmp_path: Path) -> None:
    runs = [search(tmp_path / str(seed), FIVE, seed=seed) for seed in (0, 1)]
    for seed, run in enumerate(runs):
        lines = "".join(f"{step},top1,{2 * step},{1 / (step + seed)},0.5\n" for step in (1, 2))
        (run.folder / "predictors.csv").write_text("iteration,objective,examples,mape [%],kendall_tau\n" + lines)
    said = texts(drawn("predictors", runs, tmp_path))
    assert "one standard error" in said
    assert "MAPE of top1 [%]" in said
    assert "standard error" not in texts(drawn("predictors", runs[:1], tmp_path))


def test_both_targets_are_named_in_the_picture_of_a_transfer(tmp_path: Path) -> None:
    config = {"data": {"source": "embedded"}, "hardware": {"_target_": "somebody.Meter", "threads": 2, "streams": 1}}
    source = search(tmp_path / "source", FIVE)
    moved = search(tmp_path / "moved", FIVE, choices={"hardware": "openvino"}, config=config)
    result = transferred(moved, source, 1, 1, None)
    named = ("hardware=cpu, hardware.threads=1", "hardware=openvino, hardware.threads=2")
    assert targets(result) == named, "and not what only one of them has"
    plot_transfer(result, tmp_path / "a.svg")
    said = " ".join(texts(tmp_path / "a.svg").splitlines())
    assert "where found: hardware=cpu, hardware.threads=1" in said
    assert said.count("hardware=openvino") == 2


@pytest.mark.parametrize("kind", ["evaluate", "transfer"])
def test_what_is_no_search_has_no_picture_of_its_hypervolume(tmp_path: Path, kind: str) -> None:
    run = search(tmp_path / "a", FIVE, config={"run": "elsewhere"} if kind == "transfer" else {})
    if kind == "evaluate":
        text = (run.folder / "run.json").read_text().replace('"mode": "linas",', "")
        (run.folder / "run.json").write_text(text)
    names = [path.name for path in write_outputs(run.folder).paths]
    assert names == ["results.csv", "front.csv", "hypervolume.csv", "front.png"]
    assert not (run.folder / "hypervolume.png").exists()


@pytest.mark.parametrize(("longest", "scale"), [(300, "linear"), (301, "logarithmic")])
def test_a_short_search_beside_one_of_ten_times_as_many_evaluations_is_seen(
    longest: int, scale: str, tmp_path: Path
) -> None:
    curves = {"short": np.arange(30.0)[None], "long": np.linspace(0, 40, longest)[None]}
    path = tmp_path / "hypervolume.svg"
    plot_hypervolume(curves, (Objective("top1", "max", "%"),), (0.0,), path)
    assert ("logarithmic scale" in texts(path)) == (scale == "logarithmic")
    assert ("200" in texts(path)) == (scale == "linear"), "marks are those of the scale"
