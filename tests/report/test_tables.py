"""Tables fit the screen and show what is in the run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from dynas.report.compare import compare
from dynas.report.fitted import Column, FittedTable, folded
from dynas.report.tables import (
    comparison_csv,
    comparison_markdown,
    comparison_records,
    comparison_tables,
    front_table,
    measures,
    speed_table,
)
from dynas.report.text import aligned, compact, known_text, quality_text, readable
from dynas.runs.load import load_run
from tests.helpers.run_folders import FIVE, LATENCY, MACS, NAN, TOP1, search, write_search


def lines(table: FittedTable, width: int = 100) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return [line.rstrip() for line in text.splitlines()]


def test_the_front_is_shown_with_units_and_short_architectures(tmp_path: Path) -> None:
    shown = lines(front_table(search(tmp_path / "run", FIVE)))
    assert shown[0] == "front: 2 of 5 sub-networks"
    assert shown[1].split() == ["row", "top1", "[%]", "latency", "[ms]", "ks", "width", "d"]
    assert shown[3].split() == ["5", "90", "8", "3574", "512x2,640", "4"]
    assert shown[4].split() == ["2", "88", "4", "3574", "512x2,640", "1"]


def test_the_original_stands_below_the_front_or_is_marked_on_it(tmp_path: Path) -> None:
    below = lines(front_table(search(tmp_path / "below", FIVE, original="ks0120-d0")))
    assert below[0] == "front: 2 of 5 sub-networks"
    assert below[5].split()[:4] == ["1", "original", "80", "10"]
    on_it = lines(front_table(search(tmp_path / "on_it", FIVE, original="ks0121-d4")))
    assert on_it[3].split()[:4] == ["5", "original", "90", "8"]
    assert len(on_it) == len(below) - 1
    failed = lines(front_table(search(tmp_path / "failed", FIVE, original="ks0122-d2")))
    assert "original" not in " ".join(failed)


def test_a_long_front_is_thinned_and_keeps_its_ends(tmp_path: Path) -> None:
    shown = lines(front_table(search(tmp_path / "run", [(50 + step, 10 + step) for step in range(45)])))
    assert "45 of 45 sub-networks (20 shown)" in shown[0]
    assert len(shown) == 3 + 20
    assert shown[3].split()[:2] == ["45", "94"]
    assert shown[-1].split()[:2] == ["1", "50"]


WIDE = FittedTable(
    "a title",
    [
        Column("row", ["1", "22"]),
        Column("top1 [%, modelled]", ["77.39", "70.12"]),
        Column("latency [ms]", ["1.5", "22.25"]),
        Column("where found", ["—", "3"]),
        Column("ks", ["35753575357535753575", "3"], folds=True),
        Column("options", ["linas pareto_local_search budget=100000", "[/b] :car: [bold]"], folds=True),
    ],
)


@pytest.mark.parametrize("width", [200, 100, 80, 60, 40, 30])
def test_no_width_loses_a_column_or_breaks_a_number(width: int) -> None:
    shown = lines(WIDE, width)
    assert max(map(len, shown)) <= width
    assert not any("…" in line for line in shown)
    for whole in ("77.39", "70.12", "22.25", "22", "row", "top1", "[%, modelled]", "[ms]", "options", "found"):
        assert any(whole in line for line in shown), whole
    start = next(line.index("options") for line in shown if "options" in line)
    together = re.sub(r"\s", "", "".join(line[start:] for line in shown))
    for text in ("linas", "local_search", "budget=", "100000", "[/b]", ":car:", "[bold]"):
        assert text in together, text


def test_a_row_is_told_in_every_part_of_a_table() -> None:
    heads = [line.split()[0] for line in lines(WIDE, 40) if line.startswith(("row", " 22"))]
    assert heads == ["row", "22"] * (len(heads) // 2)
    assert len(heads) > 2


@pytest.mark.parametrize(
    ("text", "width", "parts"),
    [
        ("linas pareto_local_search", 14, ["linas pareto_", "local_search"]),
        ("population=123456", 12, ["population=", "123456"]),
        ("256,128,32,16", 8, ["256,128,", "32,16"]),
        ("33557", 2, ["33", "55", "7"]),
        ("", 5, [""]),
    ],
)
def test_texts_break_behind_signs_between_words(text: str, width: int, parts: list[str]) -> None:
    assert folded(text, width) == parts


def test_what_a_run_says_reaches_no_terminal_as_a_command(tmp_path: Path) -> None:
    choices = {"mode": "validation", "algo": "\x1b[2J\nx\ud800"}
    comparison = compare([search(tmp_path / "a", FIVE), search(tmp_path / "b", FIVE, choices=choices)])
    shown = "\n".join(lines(comparison_tables(comparison)[0]))
    assert r"\x1b[2J\nx\ud800" in shown


def test_an_empty_front_is_a_table_without_rows(tmp_path: Path) -> None:
    shown = lines(front_table(search(tmp_path / "run", [])))
    assert shown[0] == "front: 0 of 0 sub-networks"
    assert "latency [ms]" in shown[1]


def told_of(path: Path, column: str, values: Sequence[object]) -> str:
    """Return what is said of latencies once results.csv has one more column."""
    header, *rows = path.read_text().splitlines()
    cells = [header.replace("latency_p10 [ms]", f"latency_p10 [ms],{column}")]
    cells += [row.replace(",,0.5,", f",,{value},0.5,") for row, value in zip(rows, values, strict=True)]
    path.write_text("\n".join(cells) + "\n")
    return quality_text(load_run(path.parent))


@pytest.mark.parametrize(
    ("drifts", "said"),
    [
        ([0, 4, 2, 90, 3], ""),
        ([12, 12, 0, 13, 90], "12 % slower during most of the run than undisturbed"),
        ([-9, -9, 0, -9, -9], "9 % faster during most of the run than when it began"),
        (["", "", "", "", ""], ""),
    ],
)
def test_a_machine_whose_pace_was_another_for_most_of_a_run_is_told(
    tmp_path: Path, drifts: list[object], said: str
) -> None:
    path = write_search(tmp_path / "run", FIVE) / "results.csv"
    told = told_of(path, "latency_drift [%]", drifts)
    assert said in told
    assert bool(told) == bool(said)


@pytest.mark.parametrize(
    ("qualities", "said"),
    [
        (["ok", "ok", "ok", "ok", ""], ""),
        (["ok", "disturbed", "", "disturbed", "ok"], "of 5 latencies, 2 were taken beside other work"),
        (["ok", "unsteady", "", "disturbed", "ok"], "divided out and 1 are less certain than hardware.tolerance"),
    ],
)
def test_latencies_that_are_not_ok_are_counted(tmp_path: Path, qualities: list[str], said: str) -> None:
    path = write_search(tmp_path / "run", FIVE) / "results.csv"
    assert quality_text(load_run(path.parent)) == "", "an older run tells no quality"
    told = told_of(path, "latency_quality", qualities)
    assert said in told
    assert bool(told) == bool(said)


def test_values_that_were_taken_over_are_counted_with_their_sources_and_times(tmp_path: Path) -> None:
    path = write_search(tmp_path / "run", FIVE) / "results.csv"
    sources = ["outputs/a", "cache", "", "outputs/a", ""]
    told_of(path, "top1_from", sources)
    path.write_text(path.read_text().replace(",outputs/a,0.5,", ",outputs/a,0.05,"))
    told = known_text(load_run(path.parent))
    assert told == (
        "top1 was known of 3 of 5 (2 from outputs/a, 1 from cache): 0.20 s each instead of 0.50 s; "
        "known=null measures everything"
    )
    assert told in "".join(compare([load_run(path.parent)]).notes)
    assert known_text(load_run(write_search(tmp_path / "other", FIVE))) == ""


def test_the_comparison_is_shown_in_three_formats(tmp_path: Path) -> None:
    random = {"mode": "validation", "algo": "random"}
    comparison = compare(
        [
            search(tmp_path / "a", FIVE),
            search(tmp_path / "b", [(80, 10), (84, 5), (80, 10), (84, 6), (84, 5)], choices=random),
        ]
    )
    shown, further = map(lines, comparison_tables(comparison))
    assert shown[3].split() == ["1", "linas", "nsga2", "1", "5", "2.0", "52", "—"]
    assert shown[4].split() == ["2", "validation", "random", "1", "5", "2.0", "20", "—"]
    assert further[3].split() == ["1", "linas", "nsga2", "0.000", "0.000", "2.5", "—"]
    assert further[4].split() == ["2", "validation", "random", "2.508", "3.000", "2.5", "—"]
    needed = lines(speed_table(comparison))
    assert needed[3].split() == ["1", "linas", "nsga2", "5", "2", "(1.0x)"]
    assert needed[4].split() == ["2", "validation", "random", "—", "2"]
    assert max(map(len, [*shown, *further])) <= 80

    markdown = comparison_markdown(comparison).splitlines()
    assert len({line.count("|") for line in markdown}) == 1
    assert markdown[2] == "| linas nsga2 | 1 | 5 | 2.0 | 52 | — | 0.000 | 0.000 | 2.5 | — | 5 | 2 (1.0x) |"

    rows = list(csv.DictReader(io.StringIO(comparison_csv(comparison))))
    assert [row["runs"] for row in rows] == ["linas nsga2", "validation random"]
    assert [float(row["hypervolume"]) for row in rows] == [52, 20]
    assert rows[0]["evaluations to reach validation random"] == "2.0"
    assert rows[1]["evaluations to reach linas nsga2"] == ""
    assert rows[0]["reference latency [ms]"] == "10.0"
    assert comparison_records(comparison)[0]["standard error"] is None


def test_an_error_has_the_decimals_of_its_mean(tmp_path: Path) -> None:
    runs = [search(tmp_path / str(seed), [*FIVE, (91, 7 - seed / 3)], seed=seed) for seed in (0, 1)]
    names, (cells,) = measures(compare(runs))
    mean, error = (cells[names.index(name)].split(".")[1] for name in ("hypervolume", "± s.e."))
    assert len(mean) == len(error) > 0


def test_a_table_of_three_objectives_fits(tmp_path: Path) -> None:
    values = [(80, 10, 3e8), (85, 5, 123456789)]
    shown = lines(front_table(search(tmp_path / "run", values, [TOP1, LATENCY, MACS])))
    assert max(map(len, shown)) <= 100
    assert "123,456,789" in shown[3]


@pytest.mark.parametrize(
    ("value", "text"),
    [(91.25, "91.25"), (8, "8"), (0.0123449, "0.01234"), (12_345_678, "12,345,678"), (NAN, "—"), (9.0001, "9.000")],
)
def test_numbers_are_readable(value: float, text: str) -> None:
    assert readable(value) == text


def test_numbers_of_a_column_have_the_same_decimals() -> None:
    assert aligned([2.5, 2, 12.25]) == ["2.50", "2.00", "12.25"]
    assert aligned([0.0123449, 0.5]) == ["0.0123", "0.5000"]
    assert aligned([12_345_678, 1]) == ["12,345,678", "1"]
    assert aligned([0.0312, 11.23]) == ["0.031", "11.230"]
    assert aligned([419.375, 2.5, NAN], digits=5) == ["419.38", "2.50", "—"]
    assert aligned([]) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [([3, 5, 7], "357"), ([512, 512, 640], "512x2,640"), ([0.5, 1], "0.5,1"), (4, "4"), (["a", "b"], "ab"), ([], "")],
)
def test_options_are_compact(value: object, text: str) -> None:
    assert compact(value) == text
