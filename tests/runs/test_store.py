from __future__ import annotations

import csv
import math
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynas import DesignVariable, DynasError, Objective, SearchSpace
from dynas.core.evaluation import Evaluation, Measurement
from dynas.runs.load import load_run
from dynas.runs.names import RESULTS
from dynas.runs.record import read_run, write_run
from dynas.runs.store import RunStore
from dynas.system.files import number, write_csv

OBJECTIVES = (Objective("top1", "max", "%"), Objective("latency", "min", "ms", bound=20.0))
AS_FACTS = [asdict(objective) for objective in OBJECTIVES]
EXTRAS = ("latency_p10 [ms]", "runs [1]")


def open_store(folder: Path, space: SearchSpace) -> RunStore:
    return RunStore(folder, space, OBJECTIVES, EXTRAS)


def evaluation(space: SearchSpace, index: int, measurement: Measurement) -> Evaluation:
    """Return the evaluation of the ``index``-th sub-network of the space, counted from 1."""
    genotype = space.sample_distinct(index, np.random.default_rng(0))[index - 1]
    return Evaluation(
        index, 1 + index // 3, space.key(genotype), genotype, measurement, "2026-01-02T03:04:05.678+00:00"
    )


def same(first: Evaluation | None, second: Evaluation | None) -> bool:
    """Return whether two evaluations agree in everything; NaN equals NaN."""
    if first is None or second is None:
        return first is second
    np.testing.assert_array_equal(first.genotype, second.genotype)
    np.testing.assert_array_equal(first.measurement.values, second.measurement.values)
    pairs = [(e.index, e.iteration, e.key, e.timestamp) for e in (first, second)]
    details = [(e.measurement.extras, e.measurement.seconds, e.measurement.error) for e in (first, second)]
    return pairs[0] == pairs[1] and details[0] == details[1]


def filled(folder: Path, space: SearchSpace) -> list[Evaluation]:
    """Write three rows, the last one with text beyond ASCII; return them."""
    measurements = [
        Measurement((71.25, 0.1 + 0.2), {"latency_p10 [ms]": 0.25, "runs [1]": 8.0}, 1.5),
        Measurement((math.nan, 3.0), {}, 0.25, 'ValueError: "a, b"'),
        Measurement((math.nan, math.nan), {}, 0.125, "Größe {3} μs, „zu groß“ }"),
    ]
    rows = [evaluation(space, index, measurement) for index, measurement in enumerate(measurements, start=1)]
    store = open_store(folder, space)
    for row in rows:
        store.append(row)
    store.close()
    return rows


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(FLOATS)
def test_the_text_of_a_number_reads_back_as_the_same_number(value: float) -> None:
    assert float(number(value)) == value


def test_whole_numbers_have_no_decimal_point_and_missing_ones_no_text() -> None:
    assert [number(value) for value in (3.0, 2.5, 121278672.0, math.nan, math.inf)] == ["3", "2.5", "121278672", "", ""]


@given(st.lists(st.tuples(FLOATS | st.just(math.nan), FLOATS, FLOATS), min_size=1, max_size=8))
def test_rows_read_back_exactly_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, gated_space: SearchSpace, values: list[tuple[float, float, float]]
) -> None:
    folder = tmp_path_factory.mktemp("run") / "deep" / "run"
    store = open_store(folder, gated_space)
    rows = []
    for index, (first, second, extra) in enumerate(values, start=1):
        rows.append(evaluation(gated_space, index, Measurement((first, second), {"latency_p10 [ms]": extra}, 0.5)))
        store.append(rows[-1])
    store.close()
    again = open_store(folder, gated_space)
    assert len(again) == len(store) == len(rows)
    for row in rows:
        assert same(again.find(row.key), row)
        assert same(store.find(row.key), row)
    again.close()


def test_results_csv_is_readable_for_others(tmp_path: Path, gated_space: SearchSpace) -> None:
    rows = filled(tmp_path, gated_space)
    with (tmp_path / RESULTS).open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == [
        *("index", "iteration", "key", "top1 [%]", "latency [ms]", "latency_p10 [ms]", "runs [1]"),
        *("seconds [s]", "timestamp", "error", "architecture"),
    ]
    assert [row["top1 [%]"] for row in table] == ["71.25", "", ""], "a missing value is an empty cell, never 0"
    assert float(table[0]["latency [ms]"]) == 0.1 + 0.2
    assert [row["error"] for row in table] == [row.measurement.error for row in rows]


def test_a_row_is_on_disk_as_soon_as_it_is_appended(tmp_path: Path, gated_space: SearchSpace) -> None:
    store = open_store(tmp_path, gated_space)
    for index in (1, 2, 3):
        store.append(evaluation(gated_space, index, Measurement((1.0, 2.0))))
        assert (tmp_path / RESULTS).read_text().count("\n") == 1 + index
    store.close()


def test_an_unknown_sub_network_is_not_found(tmp_path: Path, gated_space: SearchSpace) -> None:
    rows = filled(tmp_path, gated_space)
    store = open_store(tmp_path, gated_space)
    assert store.find(evaluation(gated_space, 4, Measurement((1.0, 2.0))).key) is None
    assert store.find(rows[0].key) is not None
    store.close()


def test_a_torn_last_row_is_recovered_wherever_it_was_torn(tmp_path: Path, gated_space: SearchSpace) -> None:
    rows = filled(tmp_path / "whole", gated_space)
    content = (tmp_path / "whole" / RESULTS).read_bytes()
    last = content.rstrip(b"\n").rfind(b"\n") + 1
    new = evaluation(gated_space, 4, Measurement((5.0, 6.0)))
    failures = []
    for cut in range(last, len(content)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / RESULTS).write_bytes(content[:cut])
        try:
            store = open_store(folder, gated_space)
        except DynasError as error:
            failures.append(f"cut after {content[last:cut]!r}: {error}")
            continue
        assert same(store.find(rows[0].key), rows[0])
        assert same(store.find(rows[1].key), rows[1])
        kept = store.find(rows[2].key)
        assert kept is None or same(kept, rows[2])
        store.append(new)
        store.close()
        again = open_store(folder, gated_space)
        assert len(again) == (3 if kept is None else 4)
        assert same(again.find(new.key), new)
        again.close()
    assert not failures, failures[:3]


def test_a_torn_header_is_recovered_wherever_it_was_torn(tmp_path: Path, gated_space: SearchSpace) -> None:
    filled(tmp_path, gated_space)
    path = tmp_path / RESULTS
    header = path.read_bytes().split(b"\n")[0] + b"\n"
    new = evaluation(gated_space, 1, Measurement((5.0, 6.0)))
    for cut in range(len(header) + 1):
        path.write_bytes(header[:cut])
        store = open_store(tmp_path, gated_space)
        store.append(new)
        store.close()
        assert path.read_bytes().startswith(header)
        again = open_store(tmp_path, gated_space)
        assert same(again.find(new.key), new)
        again.close()


@pytest.mark.parametrize(
    "content",
    [
        "name,salary\nAda,3\n",
        "name,salary\nAda,3",
        "notes without any line break",
        "index,iteration,key\n",
        "\n",
        "x" * 300_000 + "\n",
        '"' + "x" * 300_000,
    ],
    ids=["foreign", "foreign, no last newline", "one line", "fewer columns", "empty line", "long line", "open quote"],
)
def test_a_file_of_someone_else_is_refused_and_left_alone(
    tmp_path: Path, gated_space: SearchSpace, content: str
) -> None:
    path = tmp_path / RESULTS
    path.write_text(content)
    with pytest.raises(DynasError, match=r"results\.csv"):
        open_store(tmp_path, gated_space)
    assert path.read_text() == content


def test_a_file_that_is_no_text_is_refused_and_left_alone(tmp_path: Path, gated_space: SearchSpace) -> None:
    content = bytes(range(256)) * 4
    (tmp_path / RESULTS).write_bytes(content)
    with pytest.raises(DynasError, match=r"results\.csv"):
        open_store(tmp_path, gated_space)
    assert (tmp_path / RESULTS).read_bytes() == content


def test_results_of_other_objectives_or_another_space_are_refused(tmp_path: Path, gated_space: SearchSpace) -> None:
    filled(tmp_path, gated_space)
    before = (tmp_path / RESULTS).read_bytes()
    with pytest.raises(DynasError, match=r"its columns are .* instead of .*macs \[MAC\]"):
        RunStore(tmp_path, gated_space, [OBJECTIVES[0], Objective("macs", "min", "MAC")], EXTRAS)
    with pytest.raises(DynasError, match=r"not a results\.csv of this run"):
        RunStore(tmp_path, gated_space, OBJECTIVES)
    other = SearchSpace([DesignVariable("ks", (3, 5, 7), 4), DesignVariable("e", (1, 2), 2)])
    with pytest.raises(DynasError, match=r"line 2 .* keys ks, e"):
        open_store(tmp_path, other)
    assert (tmp_path / RESULTS).read_bytes() == before


@pytest.mark.parametrize(
    ("cell", "text", "message"),
    [
        (0, "first", "line 3"),
        (2, "ks0000-d00", "its key does not belong to its architecture"),
        (3, "good", "line 3"),
        (5, "fast", "line 3"),
        (7, "", "line 3"),
        (10, '{"ks":[3,3,3,3],"d":[1,9]}', "'d' cannot be 9"),
        (10, '{"ks":[3,3', "line 3"),
        (10, "null", "line 3"),
    ],
)
def test_an_edited_row_is_refused_by_its_line(
    tmp_path: Path, gated_space: SearchSpace, cell: int, text: str, message: str
) -> None:
    filled(tmp_path, gated_space)
    path = tmp_path / RESULTS
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert rows[1][2] != text
    rows[1][cell] = text
    write_csv(path, header, rows)
    edited = path.read_bytes()
    with pytest.raises(DynasError, match=message):
        open_store(tmp_path, gated_space)
    assert path.read_bytes() == edited


def test_a_row_of_too_few_cells_in_the_middle_is_refused(tmp_path: Path, gated_space: SearchSpace) -> None:
    filled(tmp_path, gated_space)
    lines = (tmp_path / RESULTS).read_text(encoding="utf-8").splitlines(keepends=True)
    lines[2] = "2,1,ks\n"
    (tmp_path / RESULTS).write_text("".join(lines), encoding="utf-8")
    message = r"line 3 is not a row of dynas: it has 3 cells for [0-9]+ columns; mend or remove that line"
    with pytest.raises(DynasError, match=message):
        open_store(tmp_path, gated_space)


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path, gated_space: SearchSpace) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DynasError, match=r"cannot write results to '.*file/run'"):
        open_store(tmp_path / "file" / "run", gated_space)


@contextmanager
def disk_full_after(size: int) -> Iterator[None]:
    """Refuse every byte of a file beyond ``size``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("space_left", [0, 1, 20])
def test_a_full_disk_keeps_the_rows_before_and_says_so(
    tmp_path: Path, gated_space: SearchSpace, space_left: int
) -> None:
    rows = filled(tmp_path, gated_space)
    store = open_store(tmp_path, gated_space)
    new = evaluation(gated_space, 4, Measurement((5.0, 6.0)))
    with disk_full_after(os.path.getsize(tmp_path / RESULTS) + space_left):
        with pytest.raises(DynasError, match=r"cannot write to .* the rows before are safe"):
            store.append(new)
        store.close()  # the run still ends in order
    assert store.find(new.key) is None
    again = open_store(tmp_path, gated_space)
    assert len(again) == 3
    assert all(same(again.find(row.key), row) for row in rows)
    again.append(new)
    again.close()
    assert len(open_store(tmp_path, gated_space)) == 4


@pytest.mark.parametrize("error", ["two\nlines", "carriage\rreturn", 'quote " and comma ,', "lone surrogate \udcff"])
def test_any_text_can_be_the_reason_of_a_failure(tmp_path: Path, gated_space: SearchSpace, error: str) -> None:
    row = evaluation(gated_space, 1, Measurement((math.nan, math.nan), {}, 0.0, error))
    store = open_store(tmp_path, gated_space)
    store.append(row)
    store.append(evaluation(gated_space, 2, Measurement((1.0, 2.0))))
    store.close()
    again = open_store(tmp_path, gated_space)
    assert len(again) == 2
    found = again.find(row.key)
    assert found is not None
    assert found.measurement.error.split()[0] == error.split()[0]
    again.close()


@pytest.mark.parametrize(
    "choices",
    [(1, 2.5), ("relu", "h, swish"), (True, False), (None, 1), ((3, 5), (5, 7)), tuple(np.arange(3, 8, 2))],
    ids=["numbers", "text", "flags", "none", "tuples", "numpy integers"],
)
def test_options_of_every_kind_survive_reopening(tmp_path: Path, choices: tuple[object, ...]) -> None:
    space = SearchSpace([DesignVariable("a", choices), DesignVariable("b", choices, 2)])
    genotype = np.array([1, 0, 1])
    store = RunStore(tmp_path, space, OBJECTIVES)
    store.append(Evaluation(1, 1, space.key(genotype), genotype, Measurement((1.0, 2.0)), "now"))
    store.close()
    again = RunStore(tmp_path, space, OBJECTIVES)
    found = again.find(space.key(genotype))
    assert found is not None
    np.testing.assert_array_equal(found.genotype, genotype)
    again.close()


def test_run_json_reads_back(tmp_path: Path) -> None:
    write_run(tmp_path, {"seed": np.int64(3), "folder": tmp_path, "share": np.float64(0.5), "name": "größer"})
    assert read_run(tmp_path) == {"format": 1, "seed": 3, "folder": str(tmp_path), "share": 0.5, "name": "größer"}
    assert os.listdir(tmp_path) == ["run.json"]


@pytest.mark.parametrize("content", ["{", "[1, 2]", "", "\xff"])
def test_a_broken_run_json_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(DynasError, match=r"cannot read '.*run\.json'"):
        read_run(tmp_path)


def test_a_folder_without_run_json_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=r"is not a run folder: it has no run\.json"):
        read_run(tmp_path)


@pytest.mark.parametrize("column", ["index", "key"])
def test_an_evaluation_that_stands_there_twice_is_refused_with_both_lines(tmp_path: Path, column: str) -> None:
    space = SearchSpace([DesignVariable("a", tuple(range(9)))])
    store = RunStore(tmp_path, space, OBJECTIVES)
    for index in (1, 2, 3):
        store.append(evaluation(space, index, Measurement((70.0, 12.0))))
    store.close()
    write_run(tmp_path, {"status": "finished", "choices": {}, "seed": 0, "budget": 3, "objectives": AS_FACTS})
    lines = (tmp_path / RESULTS).read_text().splitlines()
    again = lines[2] if column == "key" else lines[3].replace("3,", "2,", 1)
    (tmp_path / RESULTS).write_text("\n".join([*lines[:3], again]) + "\n")
    sentence = r"line 4 is not a row of dynas: its index 2 is that of line 3 already"
    for read in (lambda: RunStore(tmp_path, space, OBJECTIVES), lambda: load_run(tmp_path)):
        with pytest.raises(DynasError, match=sentence):
            read()


@pytest.mark.parametrize(
    ("column", "text"),
    [("index", "9" * 5000), ("index", "-1"), ("iteration", "9" * 40), ("iteration", "1.0"), ("seconds [s]", "nan"),
     ("seconds [s]", "inf"), ("seconds [s]", "-1"), ("index", "\N{SUPERSCRIPT TWO}")],
)  # fmt: skip
def test_a_number_that_can_be_none_is_refused_with_its_line(tmp_path: Path, column: str, text: str) -> None:
    space = SearchSpace([DesignVariable("a", (0, 1, 2))])
    store = RunStore(tmp_path, space, OBJECTIVES)
    store.append(evaluation(space, 1, Measurement((70.0, 12.0), seconds=1.5)))
    store.close()
    write_run(tmp_path, {"status": "finished", "choices": {}, "seed": 0, "budget": 1, "objectives": AS_FACTS})
    with (tmp_path / RESULTS).open(newline="") as file:
        (row,) = csv.DictReader(file)
    write_csv(tmp_path / RESULTS, list(row), [list((row | {column: text}).values())])
    for read in (lambda: RunStore(tmp_path, space, OBJECTIVES), lambda: load_run(tmp_path)):
        with pytest.raises(DynasError, match="line 2 is not a row of dynas"):
            read()


def test_line_breaks_of_an_error_are_not_read_into_the_log(tmp_path: Path) -> None:
    space = SearchSpace([DesignVariable("a", (0, 1, 2))])
    RunStore(tmp_path, space, OBJECTIVES).close()
    first = evaluation(space, 1, Measurement((math.nan, math.nan)))
    with (tmp_path / RESULTS).open("a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(
            [1, 1, first.key, "", "", 0, first.timestamp, "one\nalias ls=evil", f'{{"a":{first.genotype[0]}}}']
        )
    (read,) = RunStore(tmp_path, space, OBJECTIVES).history
    assert read.measurement.error == "one alias ls=evil"
