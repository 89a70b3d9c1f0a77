"""Latency tables: the Note10 figures against sums computed elsewhere, foreign tables, and what is refused."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dynas.core.bench import Bench
from dynas.core.metric import CountedMetric
from dynas.data.imagenet_surrogate import ImageNetSurrogate
from dynas.errors import DynasError
from dynas.hardware.lookup import LookupTable, TableLatency
from dynas.hardware.lut.blocks import Block
from dynas.hardware.lut.csv_table import COLUMNS, to_row
from dynas.hardware.lut.files import TABLES, read
from dynas.metrics.latency import Latency
from dynas.metrics.measurer import Measurer
from dynas.supernets.mbconv.lookup import fixed_blocks, searchable_blocks
from dynas.supernets.mbv3 import MobileNetV3Supernet

HEADER = ",".join(COLUMNS)
ROW = "inverted_residual,56x56x24,28x28x40,72,5,2,0,1,relu,1.5"


def make_supernet(width: float, size: int = 224, heights: list[int] | None = None) -> MobileNetV3Supernet:
    return MobileNetV3Supernet("random", width, (size, size), 3, 1000, 2, (2, 2, 2, 1, 2), resolutions=heights)


@pytest.fixture(scope="module")
def supernet() -> MobileNetV3Supernet:
    return make_supernet(1.0)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_table(*lines: str) -> str:
        path = tmp_path / "table.csv"
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    return write_table


def test_sums_are_those_of_the_reference(supernet: MobileNetV3Supernet, reference: Path) -> None:
    with gzip.open(reference / "ofa_mbv3_public.json.gz", "rt") as file:
        cases = {case["id"]: case["arch"] for case in json.load(file)["cases"]}
    with (reference / "note10_golden.csv").open(newline="") as file:
        wanted = {row["case"]: float(row["latency_ms"]) for row in csv.DictReader(file)}
    assert wanted.keys() == cases.keys()
    genotypes = np.stack([supernet.space.encode(arch) for arch in cases.values()])
    sums = TableLatency(LookupTable("note10", 1.2)).count(supernet, genotypes)
    np.testing.assert_allclose(sums, list(wanted.values()), rtol=0, atol=1e-6)


def test_the_shipped_figures_are_those_of_the_reference(reference: Path) -> None:
    with (reference / "note10_224.csv").open(newline="") as file:
        wanted = sorted(float(row["mean_ms"]) for row in csv.DictReader(file))
    lines = [line for line in (TABLES / "note10.csv").read_text().splitlines() if not line.startswith("#")]
    figures = sorted(float(row["latency_ms"]) for row in csv.DictReader(lines))
    np.testing.assert_allclose(figures, wanted, rtol=1e-10)


def test_every_resolution_has_its_own_blocks(write: Any) -> None:
    heights = [160, 192, 224]
    elastic = make_supernet(1.0, heights[-1], heights)
    shapes = [replace(elastic.shape, resolution=(height, height)) for height in heights]
    blocks = {block for shape in shapes for block in fixed_blocks(shape)}
    blocks |= {one for shape in shapes for k in (3, 5, 7) for r in (3, 4, 6) for one in searchable_blocks(shape, k, r)}
    path = write(HEADER, *(to_row(block, sum(block.input[:2]) + block.kernel) for block in blocks))
    metric = TableLatency(LookupTable(path))
    genotypes = elastic.space.sample(30, np.random.default_rng(0))
    together = metric.count(elastic, genotypes)
    for option, height in enumerate(heights):
        chosen = genotypes[:, -1] == option
        alone = metric.count(make_supernet(1.0, height), genotypes[chosen, :-1])
        assert len(alone) > 0
        assert together[chosen].tolist() == alone.tolist()


def test_a_resolution_that_the_table_lacks_is_named() -> None:
    elastic = make_supernet(1.0, 224, [160, 224])
    with pytest.raises(DynasError, match="'note10' lacks the block stem 160x160x3 to 80x80x24"):
        TableLatency(LookupTable("note10", 1.2)).count(elastic, elastic.space.smallest()[None])


def test_a_population_has_the_sums_of_its_members(supernet: MobileNetV3Supernet) -> None:
    metric = TableLatency(LookupTable("note10", 1.2))
    genotypes = supernet.space.sample(200, np.random.default_rng(0))
    together = metric.count(supernet, genotypes)
    assert together.shape == (200,)
    assert together.tolist() == [metric.count(supernet, row[None])[0] for row in genotypes]


def test_latency_grows_with_every_gene(supernet: MobileNetV3Supernet) -> None:
    metric = TableLatency(LookupTable("note10", 1.2))
    row = supernet.space.largest()
    for gene in range(supernet.space.n_genes):
        smaller = row.copy()
        smaller[gene] -= 1
        less, more = metric.count(supernet, supernet.space.canonical(np.stack([smaller, row])))
        assert less < more


def test_the_supernets_own_width_is_used_where_none_is_given(supernet: MobileNetV3Supernet) -> None:
    genotypes = supernet.space.sample(5, np.random.default_rng(0))
    wanted = TableLatency(LookupTable("note10", 1.2)).count(supernet, genotypes)
    own = TableLatency(LookupTable("note10")).count(make_supernet(1.2), genotypes)
    assert own.tolist() == wanted.tolist()


def test_a_missing_block_is_named_beside_what_there_is(supernet: MobileNetV3Supernet, write: Any) -> None:
    with pytest.raises(DynasError, match=r"'note10' lacks the block stem 224x224x3 to 112x112x16.*112x112x24"):
        TableLatency(LookupTable("note10")).count(supernet, supernet.space.smallest()[None])
    shipped = [line for line in (TABLES / "note10.csv").read_text().splitlines() if ",136,816" not in line]
    lines = [line for line in shipped if not line.startswith("inverted_residual,14x14x136,7x7x192,816,5,")]
    table = LookupTable(write(*lines), 1.2)
    wanted = "14x14x136 to 7x7x192, middle 816, kernel 5, stride 2, .*it has .*14x14x136 to 7x7x192, middle 408"
    with pytest.raises(DynasError, match=wanted):
        TableLatency(table).count(supernet, supernet.space.smallest()[None])


def test_a_foreign_table_is_summed(supernet: MobileNetV3Supernet, write: Any) -> None:
    shape = supernet.shape
    blocks = [*fixed_blocks(shape)]
    for kernel in (3, 5, 7):
        for ratio in (3, 4, 6):
            blocks += searchable_blocks(shape, kernel, ratio)
    rows = [to_row(one, max(one.kernel, 1)) for one in dict.fromkeys(blocks)]
    table = LookupTable(write("# one millisecond per unit of the kernel size", HEADER, *rows))
    latencies = TableLatency(table).count(supernet, np.stack([supernet.space.smallest(), supernet.space.largest()]))
    assert latencies.tolist() == [5 + 3 + 10 * 3, 5 + 3 + 20 * 7]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "line 1: expected the header block,input"),
        (["# only", "", "kind,ms"], "line 3: expected the header block,input"),
        ([HEADER, "stem,1"], "line 2: expected 10 cells"),
        (["# x", HEADER, ROW.replace("56x56x24", "56x24")], r"line 3: expected .* 56x56x32 in 'input', got '56x24'"),
        ([HEADER, ROW.replace(",5,", ",five,")], "line 2: expected a whole number or nothing in 'kernel', got 'five'"),
        ([HEADER, ROW.replace("1.5", "fast")], "line 2: expected a positive number of milliseconds .* got 'fast'"),
        ([HEADER, ROW.replace("1.5", "-1")], "line 2: expected a positive number of milliseconds"),
        ([HEADER, ROW.replace("1.5", "inf")], "line 2: expected a positive number of milliseconds"),
        ([HEADER, ROW.replace("inverted_residual", "")], "line 2: expected the kind of a block"),
        ([HEADER, ROW.replace(",5,", f",{'9' * 5000},")], "line 2: expected a whole number or nothing in 'kernel'"),
        ([HEADER, ROW.replace(",5,", ",5.5,")], "a whole number or nothing in 'kernel', got '5.5'"),
        ([HEADER, ROW.replace(",5,", ",\u0665,")], "a whole number or nothing in 'kernel'"),
        ([HEADER.replace(",", ";"), ROW.replace(",", ";")], "got none or several of .*; commas belong between cells"),
        ([HEADER.replace("kernel", "k"), ROW], "got none or several of kernel$"),
        ([f"{HEADER},kernel", f"{ROW},5"], "got none or several of kernel$"),
        ([HEADER, ROW, "", ROW], "line 4: expected a block that no line before has"),
    ],
)
def test_a_malformed_table_is_refused_with_file_and_line(write: Any, lines: list[str], message: str) -> None:
    path = write(*lines)
    with pytest.raises(DynasError, match=message) as caught:
        LookupTable(path)
    assert path in str(caught.value)


def test_a_row_is_read_into_its_block(write: Any) -> None:
    table = LookupTable(write(HEADER, "stem,112x112x3,56x56x24,,,,,,,1", ROW))
    network = table.network(Block("stem", (112, 112, 3), (56, 56, 24)))
    assert network[Block("inverted_residual", (56, 56, 24), (28, 28, 40), 72, 5, 2, 0, 1, "relu")] == 1.5


def by_pandas(path: str) -> None:
    pd.read_csv(path).to_csv(path)  # with an index, and with 5.0 where a column has empty cells


def turned(path: str) -> None:
    pd.read_csv(path, dtype=str).iloc[:, ::-1].assign(note="mine").to_csv(path, index=False)


def spaced(path: str) -> None:
    Path(path).write_text(Path(path).read_text().replace(",", " , "))


@pytest.mark.parametrize("rewrite", [by_pandas, turned, spaced])
def test_a_table_that_another_program_wrote_reads_the_same(write: Any, rewrite: Callable[[str], None]) -> None:
    path = write(HEADER, "stem,112x112x3,56x56x24,,,,,,,1", ROW)
    before = read(Path(path)).latencies
    rewrite(path)
    assert read(Path(path)).latencies == before


def test_unknown_tables_and_widths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=r"hardware.table=note10, the path"):
        LookupTable(str(tmp_path / "none.csv"))
    with pytest.raises(DynasError, match="width=0"):
        LookupTable("note10", 0)


def test_a_supernet_that_describes_no_blocks_is_refused_in_one_sentence() -> None:
    class Other:
        name = "other"

    with pytest.raises(DynasError, match="supernet 'other' does not describe its blocks"):
        TableLatency(LookupTable("note10")).count(Other(), np.zeros((1, 45), dtype=np.int64))  # type: ignore[arg-type]


def test_the_table_replaces_latency_and_nothing_else() -> None:
    table = LookupTable("note10")
    assert list(table.replaces) == ["latency"]
    replaced = table.replaces["latency"]
    assert isinstance(replaced, CountedMetric)
    assert replaced.exact


def test_a_table_times_no_modules(supernet: MobileNetV3Supernet) -> None:
    table = LookupTable("note10")
    bench = Measurer(Bench(supernet, ImageNetSurrogate("embedded"), table), {"latency": Latency()})
    with pytest.raises(DynasError, match="times no modules: choose hardware=cpu"):
        list(bench.measure(supernet.space.smallest()[None]))
