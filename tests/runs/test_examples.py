"""Earlier measurements as examples: what is read, what is left out, what is refused."""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynas import DesignVariable, DynasError, Objective, SearchSpace
from dynas.core.evaluation import Evaluation, Measurement
from dynas.runs.examples import read_examples
from dynas.runs.store import RunStore

TOP1, LATENCY = Objective("top1", "max", "%"), Objective("latency", "min", "ms")
SPACE = SearchSpace([DesignVariable("ks", (3, 5, 7), 2), DesignVariable("act", ("relu", "swish", "3"))])


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def quoted(value: Any) -> str:
    return '"' + json.dumps(value).replace('"', '""') + '"'


def run_folder(folder: Path, values: list[tuple[float, float]]) -> Path:
    store = RunStore(folder, SPACE, (TOP1, LATENCY), ("latency_p10 [ms]",))
    for index, (genotype, row) in enumerate(zip(SPACE.sample_distinct(9, np.random.default_rng(0)), values)):  # noqa: B905
        key = SPACE.key(genotype)
        store.append(Evaluation(index + 1, 1, key, genotype, Measurement(row), "2026-11-24T07:00:00+00:00"))
    store.close()
    return folder


@pytest.mark.parametrize("name", [".", "results.csv"])
def test_a_run_folder_and_its_results_give_the_measured_rows(name: str, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", [(70.5, 3.0), (float("nan"), 4.0), (72.0, 5.0)])
    genotypes, values = read_examples(folder / name, SPACE, (TOP1, LATENCY))
    expected = SPACE.sample_distinct(9, np.random.default_rng(0))[[0, 2]]
    np.testing.assert_array_equal(genotypes, expected)
    np.testing.assert_array_equal(values, [[70.5, 3.0], [72.0, 5.0]])
    assert read_examples(folder / name, SPACE, (LATENCY,))[1].ravel().tolist() == [3.0, 4.0, 5.0]


def test_a_compressed_table_is_read_by_its_folder_or_its_name(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", [(70.5, 3.0), (72.0, 5.0)])
    plain = read_examples(folder, SPACE, (TOP1, LATENCY))
    packed = tmp_path / "table"
    packed.mkdir()
    (packed / "results.csv.xz").write_bytes(lzma.compress((folder / "results.csv").read_bytes()))
    for path in (packed, packed / "results.csv.xz"):
        for one, other in zip(read_examples(path, SPACE, (TOP1, LATENCY)), plain, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_torn_last_line_of_a_running_search_is_passed_over(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", [(70.0, 3.0), (71.0, 4.0)])
    text = (folder / "results.csv").read_text()
    (folder / "results.csv").write_text(text[:-20])
    assert len(read_examples(folder, SPACE, (TOP1,))[0]) == 1


def test_columns_of_design_variables_hold_lists_or_plain_values(tmp_path: Path) -> None:
    file = write(
        tmp_path / "table.csv",
        "act,notes,ks,top1 [%],latency",
        'swish,"a, b","[5, 7]",70,1.5',
        "",
        '3,,"[3, 3]", 71 ,2.5',
        '"""relu""",,"[3, 5]",,3.5',
        'relu,,"[7, 3]",nan,3.5',
    )
    genotypes, values = read_examples(file, SPACE, (LATENCY, TOP1))
    assert [SPACE.decode(row) for row in genotypes] == [{"ks": [5, 7], "act": "swish"}, {"ks": [3, 3], "act": "3"}]
    assert values.tolist() == [[1.5, 70.0], [2.5, 71.0]]
    assert len(read_examples(file, SPACE, (LATENCY,))[0]) == 4


def test_a_last_line_without_newline_counts_in_a_table(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text('act,ks,top1\nrelu,"[3, 3]",70\nrelu,"[3, 5]",71.25')
    assert read_examples(file, SPACE, (TOP1,))[1].ravel().tolist() == [70.0, 71.25]


def test_repeats_are_averaged_also_across_files_and_genes_that_do_not_matter(
    tmp_path: Path, tiny_space: SearchSpace
) -> None:
    rows = [({"d": 1, "ks": 3}, 1.0), ({"d": 2, "ks": 5}, 10.0), ({"d": 1, "ks": 5}, 2.0)]
    first = write(
        tmp_path / "first.csv", "architecture,top1", *(f"{quoted(row)},{value}" for row, value in rows)
    )  # fmt: skip
    second = write(tmp_path / "second.csv", "d,ks,top1", "1,3,6")
    genotypes, values = read_examples([first, second], tiny_space, (TOP1,))
    assert genotypes.tolist() == [[0, 0], [1, 1]]
    assert values.tolist() == [[3.0], [10.0]]


REFUSED = [
    ((), "is empty: expected a line of column names"),
    (("ks,act,accuracy",), r"line 1 has no column 'top1 \[%\]' or 'top1': it has ks, act, accuracy"),
    (("ks,act,top1 [share]",), r"no column 'top1 \[%\]' or 'top1'"),
    (("ks,top1",), "neither a column 'architecture' nor one per design variable: 'act' is missing"),
    (("ks,act,top1", '"[3, 3]",relu'), "line 2 has 2 cells, expected one per column: 3"),
    (("ks,act,top1", '"[3, 3]",relu,70', '"[3, 3]",relu,high'), "line 3 has 'high' as top1: expected a number"),
    (("ks,act,top1", '"[3, 4]",relu,70'), r"line 2 is no sub-network of this space: 'ks' cannot be 4: choose from"),
    (("ks,act,top1", "3,relu,70"), "line 2 is no sub-network of this space: 'ks' needs 2 values, got 3"),
    (("ks,act,top1", '"[3, 3]",,70'), "line 2 is no sub-network of this space: 'act' cannot be ''"),
    (("architecture,top1", "{ks,70"), "line 2 has no JSON as its architecture"),
    (("architecture,top1", "7,70"), "line 2 is no sub-network of this space: an architecture of this space is a"),
    (("architecture,top1", '"{""ks"": [3, [3]], ""act"": ""relu""}",7'), "line 2 is no sub-network"),
    (("ks,act,top1", '"[3, 3]",relu,'), "no row of '.*' has a value for all of top1"),
]


@pytest.mark.parametrize(("lines", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_what_cannot_be_read_is_named(lines: tuple[str, ...], message: str, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(DynasError, match=message) as refused:
        read_examples(file, SPACE, (TOP1,))
    assert str(file) in str(refused.value)


def test_missing_and_binary_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=r"does not exist: give a run folder, a results\.csv or another CSV"):
        read_examples(tmp_path, SPACE, (TOP1,))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DynasError, match=r"cannot read .* as a CSV file"):
        read_examples(tmp_path / "picture.png", SPACE, (TOP1,))


def test_really_measured_sub_networks_are_read(reference: Path, mbv3_space: SearchSpace) -> None:
    macs = Objective("macs", "min", "MAC", exact=True)
    genotypes, values = read_examples(reference / "mbv3_measured.csv", mbv3_space, (TOP1, macs))
    assert genotypes.shape == (1062, 45)
    assert values[0].tolist() == [75.6987, 261675008]


def test_reading_needs_no_torch() -> None:
    code = "import sys, dynas.runs.examples; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
