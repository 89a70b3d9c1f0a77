"""What papers ask of a comparison: names, LaTeX, further indicators, significance, pictures of their size."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from dynas.commands.report import main
from dynas.core.objectives import Objective
from dynas.errors import DynasError
from dynas.report.compare import Comparison, compare, named
from dynas.report.indicators import epsilon, holm_p_values, igd_plus, reference_set
from dynas.report.plots.attainment import between, surfaces
from dynas.report.plots.paper import WIDTHS
from dynas.report.plots.run import plot_hypervolume
from dynas.report.tables import comparison_latex, latex, measures, p_text
from tests.helpers.run_folders import FIVE, NAN, search, write_search

RANDOM = {"mode": "validation", "algo": "random"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seeds of two methods, one better than the other with every seed."""
    home = tmp_path_factory.mktemp("papers")
    for seed in range(4):
        write_search(home / f"linas {seed}", [*FIVE, (91 + seed / 4, 7)], seed=seed, budget=6)
        write_search(home / f"random {seed}", [(80, 10), (81 + seed / 4, 9)], choices=RANDOM, seed=seed, budget=6)
    return home


@pytest.fixture(scope="module")
def comparison(folder: Path) -> Comparison:
    from dynas.runs.load import find_runs, load_run

    return compare([load_run(one) for one in find_runs([folder])])


def test_a_group_is_called_as_the_user_says(comparison: Comparison) -> None:
    called = named(comparison, ["mode=linas:LINAS (ours)", "algo=random,mode=validation: random: search"])
    assert [group.name for group in called.groups] == ["LINAS (ours)", "random: search"]
    for text, why in (
        ("mode=linas", "give KEY=VALUE:TEXT"),
        ("linas:ours", "give KEY=VALUE:TEXT"),
        ("mode=linas: ", "give KEY=VALUE:TEXT"),
        ("mode=lines:ours", "mode=lines has no group of linas nsga2, validation random"),
        ("supernet=mbv3:ours", "has 2 groups: .*; add what sets one apart"),
        ("mode=linas:validation random", "two groups are called 'validation random'"),
    ):
        with pytest.raises(DynasError, match=re.escape(why) if "*" not in why else why):
            named(comparison, [text])


def test_the_latex_table_has_every_cell_and_no_sign_that_tex_would_obey(comparison: Comparison) -> None:
    called = named(comparison, [r"mode=linas:100 % of \input{x} & $y_1^2$ #~<ours>"])
    text = comparison_latex(called)
    assert r"100 \% of \textbackslash{}input\{x\} \& \$y\_1\textasciicircum{}2\$ \#\textasciitilde{}" in text
    header, cells = measures(called)
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + len(cells)
    for row, wanted in zip(rows, [["runs", *header], *(["", *own] for own in cells)], strict=True):
        parts = re.split(r"(?<!\\)&", row.removesuffix(r"\\"))
        assert len(parts) == len(wanted)
        for part, cell in zip(parts[1:], wanted[1:], strict=True):
            assert part.strip().removeprefix(r"\textbf{").removesuffix("}") == latex(cell)
    assert text.count(r"\textbf{") == 1
    assert text.startswith("% needs \\usepackage{booktabs}\n\\begin{tabular}{lrrr")
    assert text.count("{") == text.count("}")


def test_indicators_of_a_front_by_hand(tmp_path: Path) -> None:
    joint = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert (igd_plus([joint], joint), epsilon([joint], joint)) == (0, 0)
    assert (igd_plus([np.array([[1.0, 1.0]])], joint), epsilon([np.array([[1.0, 1.0]])], joint)) == (1, 1)
    assert math.isnan(igd_plus([np.empty((0, 2))], joint))
    runs = [search(tmp_path / "a", FIVE), search(tmp_path / "b", [(80, 10), (86, 8)], choices=RANDOM)]
    first, second = compare(runs).groups
    # the joint front is (88, 4) and (90, 8), its ranges 2 % and 4 ms; (86, 8) misses them by (1, 1) and (2, 0)
    assert (first.igd_plus, first.epsilon) == (0, 0)
    assert second.igd_plus == pytest.approx((math.sqrt(2) + 2) / 2)
    assert second.epsilon == pytest.approx(2)


def test_a_joint_front_has_no_point_that_another_one_beats() -> None:
    fronts = [np.array([[0.0, 2.0], [2.0, 1.0]]), np.array([[0.0, 2.0], [2.0, 0.5]])]
    assert reference_set(fronts).tolist() == [[0, 2], [2, 0.5]]


def test_significance_over_seeds_is_corrected_for_the_number_of_tests(comparison: Comparison) -> None:
    best = np.array([10.0, 11, 12, 13])
    found = holm_p_values([best, np.arange(4.0), np.arange(4.0, 8), np.array([5.0])])
    assert math.isnan(found[0])
    assert found[1:3] == pytest.approx([2 * 2 / 70] * 2), "separate samples of four: 2 of 70 orders, twice tested"
    assert math.isnan(found[3])
    first, second = comparison.groups
    assert math.isnan(first.p_value)
    assert second.p_value == pytest.approx(2 / 70)
    header, cells = measures(comparison)
    assert [own[header.index("p to #1")] for own in cells] == ["—", "0.029"]
    assert [p_text(value) for value in (0.0001, 0.05, NAN)] == ["<0.001", "0.050", "—"]


@given(st.lists(st.lists(st.integers(0, 30), min_size=2, max_size=6), min_size=2, max_size=6))
def test_a_correction_never_makes_a_difference_surer(samples: list[list[int]]) -> None:
    arrays = [np.array(one, dtype=float) for one in samples]
    together = holm_p_values(arrays)[1:]
    alone = [holm_p_values([arrays[0], one])[1] for one in arrays[1:]]
    assert all(a - 1e-12 <= t <= 1 for a, t in zip(alone, together, strict=True))
    order = np.argsort(alone, kind="stable")
    assert (np.diff(np.array(together)[order]) >= 0).all()


def test_what_makes_no_difference_for_random_search_splits_no_group(tmp_path: Path) -> None:
    runs = [
        search(tmp_path / str(size), FIVE, choices=RANDOM, seed=size, config={"algo": {"population": size}})
        for size in (10, 50)
    ]
    assert len(compare(runs).groups) == 1
    runs = [
        search(tmp_path / f"nsga2 {size}", FIVE, seed=size, config={"algo": {"population": size}}) for size in (10, 50)
    ]
    assert len(compare(runs).groups) == 2


def test_attainment_surfaces_by_hand(tmp_path: Path) -> None:
    runs = [
        search(tmp_path / "0", [(70, 9), (88, 4)], seed=0),
        search(tmp_path / "1", [(70, 9), (90, 6)], seed=1),
    ]
    (group,) = compare(runs).groups
    one, _, every = surfaces(group)
    assert one.tolist() == [[-90, 6], [-88, 4]]
    assert every.tolist() == [[-88, 6]], "both have at least 88 % in at most 6 ms"


def test_a_band_lies_between_its_staircases() -> None:
    x, low, high = between(np.array([[1.0, 1.0], [3.0, 2.0]]), np.array([[2.0, 0.0]]), rising=True)
    assert x.tolist() == [1, 2, 3]
    np.testing.assert_equal(low, [1, 1, 2])
    np.testing.assert_equal(high, [np.nan, 0, 0])


@pytest.fixture
def whole_legends(monkeypatch: pytest.MonkeyPatch) -> None:
    """No legend of a picture that is written is cut."""

    def saved(figure: Figure, *arguments: Any, **settings: Any) -> None:
        save(figure, *arguments, **settings)
        figure.draw_without_rendering()
        for legend in figure.findobj(Legend):
            box = legend.get_window_extent()  # type: ignore[attr-defined]
            assert -1 <= box.x0 <= box.x1 <= figure.bbox.width + 1, "no legend is cut"

    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", saved)


@pytest.mark.usefixtures("whole_legends")
@pytest.mark.parametrize("letters", range(4, 60, 5))
def test_a_legend_has_as_many_columns_as_there_is_room_for(letters: int, tmp_path: Path) -> None:
    text = ("crossover, mutation and population " * 2)[:letters]
    curves = {f"{number} {text}": np.array([[1.0, 2.0]] * 2) for number in range(6)}
    plot_hypervolume(curves, (Objective("top1", "max", "%"),), (0.0,), tmp_path / "hypervolume.png")


@pytest.mark.filterwarnings("error:constrained_layout")
@pytest.mark.usefixtures("whole_legends")
def test_pictures_fit_the_columns_of_a_paper(folder: Path, tmp_path: Path) -> None:
    for columns in (1, 2):
        place = tmp_path / str(columns)
        assert main([str(folder), "--pictures", str(place), "--columns", str(columns), "--format", "csv"]) == 0
        for path in place.glob("*.pdf"):
            box = re.search(rb"/MediaBox \[ ?([\d. ]+)\]", path.read_bytes())
            assert box is not None
            width = float(box[1].split()[2])
            assert width == pytest.approx(72 * WIDTHS[columns], abs=0.5)
            assert b"/Type3" not in path.read_bytes(), "letters that publishers take"
        assert (place / "attainment.pdf").is_file()
    for wrong, why in (
        (["--columns", "1"], "give --pictures"),
        (["--pictures", str(tmp_path / "a"), "--font", "1"], "4 to 40 points"),
        (["--pictures", str(tmp_path / "a"), "--font", "nan"], "4 to 40 points"),
    ):
        with pytest.raises(DynasError, match=why):
            main([str(folder), *wrong])
