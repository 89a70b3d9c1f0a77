"""Latency tables in the YAML of Once-for-All, and several files at once."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dynas.errors import DynasError
from dynas.hardware.lookup import LookupTable, TableLatency
from dynas.hardware.lut.blocks import Block
from dynas.hardware.lut.csv_table import rows as csv_rows
from dynas.hardware.lut.files import TABLES
from dynas.hardware.lut.ofa_table import rows
from dynas.supernets.mbconv.lookup import fixed_blocks, searchable_blocks
from dynas.supernets.mbconv.shape import Shape
from dynas.supernets.mbv3 import MBV3, MobileNetV3Supernet


def wide(side: int) -> Shape:
    """The shape that the shipped table is of, for images of one size."""
    return Shape(MBV3, 1.2, (side, side), 3, 1000, 2, (2, 2, 2, 1, 2))


NAMES = {
    "stem": "Conv",
    "inverted_residual": "expanded_conv",
    "expand": "Conv_1",
    "pool": "AvgPool2D",
    "mix": "Conv_2",
    "classify": "Logits",
}
BLOCK = "expanded_conv-input:56x56x32-output:28x28x48-expand:96-kernel:5-stride:2-idskip:0-se:1-hs:0"
Write = Callable[..., str]


def key(block: Block) -> str:
    """The original's name of a block, as its ``query`` puts it together."""
    start, end = ("x".join(map(str, image)) for image in (block.input, block.output))
    text = f"{NAMES[block.block]}-input:{start}-output:{end.removeprefix('1x1x') if block.block == 'classify' else end}"
    if block.block == "inverted_residual":
        text += f"-expand:{block.middle}-kernel:{block.kernel}-stride:{block.stride}-idskip:{block.shortcut}"
        text += f"-se:{block.se}-hs:{int(block.act == 'h_swish')}"
    return text


def entry(block: Block, latency: float) -> str:
    return f"{key(block)}:\n  count: 500\n  mean: {latency!r}\n  std: 0.01\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_table(text: str, name: str = "224_lookup_table.yaml") -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write_table


@pytest.fixture(scope="module")
def supernet() -> MobileNetV3Supernet:
    return make_supernet(224)


def make_supernet(side: int) -> MobileNetV3Supernet:
    return MobileNetV3Supernet("random", 1.0, (side, side), 3, 1000, 2, (2, 2, 2, 1, 2))


def sums(table: LookupTable, supernet: MobileNetV3Supernet, count: int = 50) -> list[float]:
    return TableLatency(table).count(supernet, supernet.space.sample(count, np.random.default_rng(3))).tolist()


def made_up(side: int, latency: float) -> str:
    """A file for one resolution in which every block takes equally long, as blocks that resolutions share never do."""
    shape = wide(side)
    blocks = fixed_blocks(shape)
    for kernel in (3, 5, 7):
        for ratio in (3, 4, 6):
            blocks += searchable_blocks(shape, kernel, ratio)
    return "".join(entry(block, latency) for block in dict.fromkeys(blocks))


def test_the_shipped_table_as_yaml_gives_exactly_the_same_sums(supernet: MobileNetV3Supernet, write: Write) -> None:
    shipped = list(csv_rows((TABLES / "note10.csv").read_text()))
    assert len(shipped) == 96
    table = LookupTable(write("".join(entry(block, latency) for _, block, latency in shipped)), 1.2)
    assert sums(table, supernet) == sums(LookupTable("note10", 1.2), supernet)


def test_the_originals_figures_give_the_sums_of_the_reference(
    supernet: MobileNetV3Supernet, write: Write, reference: Path
) -> None:
    fields = {"expand": "expand_channels", "kernel": "kernel", "stride": "stride", "idskip": "skip", "se": "se"}
    fields["hs"] = "h_swish"
    text = ""
    with (reference / "note10_224.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            inside = "".join(f"-{name}:{row[column]}" for name, column in fields.items() if row[column])
            text += f"{row['block']}-input:{row['input']}-output:{row['output']}{inside}:\n"
            text += f"  count: {row['count']}\n  mean: {row['mean_ms']}\n  std: {row['std_ms']}\n"
    with gzip.open(reference / "ofa_mbv3_public.json.gz", "rt") as file:
        cases = {case["id"]: case["arch"] for case in json.load(file)["cases"]}
    with (reference / "note10_golden.csv").open(newline="") as file:
        wanted = {row["case"]: float(row["latency_ms"]) for row in csv.DictReader(file)}
    genotypes = np.stack([supernet.space.encode(cases[case]) for case in wanted])
    latencies = TableLatency(LookupTable(write(text), 1.2)).count(supernet, genotypes)
    np.testing.assert_allclose(latencies, list(wanted.values()), rtol=0, atol=1e-6)


def test_each_resolution_is_looked_up_in_its_own_file(tmp_path: Path, write: Write) -> None:
    """208 and 224 pixels end in the same 7x7 blocks, and every file times the last layers anew."""
    paths = [write(made_up(side, 1 / side), f"{side}_lookup_table.yaml") for side in (160, 208, 224)]
    for table in (LookupTable(paths, 1.2), LookupTable(str(tmp_path), 1.2)):
        for side in (160, 208, 224):
            supernet = make_supernet(side)
            blocks = {architecture_blocks(supernet, row) for row in supernet.space.sample(50, np.random.default_rng(3))}
            assert set(np.round(np.array(sums(table, supernet)) * side).astype(int)) == blocks
    with pytest.raises(DynasError, match=r"lacks the block stem 192x192x3 .*: it has stem 160x160x3 .* 1 more such"):
        sums(LookupTable(paths, 1.2), make_supernet(192))


def architecture_blocks(supernet: MobileNetV3Supernet, row: np.ndarray) -> int:
    return 6 + sum(supernet.space.decode(row)["d"])


def test_a_shipped_table_and_a_file_for_another_resolution_go_together(
    supernet: MobileNetV3Supernet, write: Write
) -> None:
    both = LookupTable(["note10", write(made_up(160, 2.0), "160.yml")], 1.2)
    assert sums(both, supernet) == sums(LookupTable("note10", 1.2), supernet)
    assert min(sums(both, make_supernet(160))) >= 2 * (6 + 10)
    assert both.digest != LookupTable("note10", 1.2).digest
    assert "'note10, " in TableLatency(both).note


def test_a_file_without_a_stem_serves_all_networks(supernet: MobileNetV3Supernet, write: Write) -> None:
    lines = made_up(224, 1.0).split("Conv_2")
    head = "Conv_2" + lines[1]
    body, tail = write(lines[0] + head.split("\n", 8)[8], "body.yaml"), write("\n".join(head.split("\n", 8)[:8]))
    with pytest.raises(DynasError, match=r"lacks the block mix 1x1x1152 to 1x1x1536"):
        sums(LookupTable(body, 1.2), supernet)
    assert sums(LookupTable([body, tail], 1.2), supernet) == sums(
        LookupTable(write(made_up(224, 1.0), "whole.yaml"), 1.2), supernet
    )


def test_the_same_block_in_two_files_is_refused_naming_both(write: Write) -> None:
    one, other = write(made_up(224, 1.0), "one.yaml"), write(made_up(224, 2.0), "other.yaml")
    with pytest.raises(DynasError, match=rf"'{one}' and '{other}' both hold the block stem 224x224x3 .* and 95 more"):
        LookupTable([one, other])
    part = write(entry(fixed_blocks(wide(224))[-1], 1.0), "part.yaml")
    with pytest.raises(DynasError, match=rf"'{one}' and '{part}' both hold the block classify 1x1x1536 to 1x1x1000: "):
        LookupTable([one, part])
    with pytest.raises(DynasError, match="both hold"):
        LookupTable(["note10", "note10"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected keys such as expanded_conv-input:"),
        ("- a\n- b\n", "line 1: expected keys such as"),
        ("just words", "line 1: expected keys such as"),
        ("a: {\n", "line 2: expected YAML: "),
        ("a: b\n\tc: d\n", "line 2: expected YAML: "),
        ("!!python/object/apply:os.system [echo]", "line 1: expected keys such as"),
        (f"{'[' * 5_000}", "line 1: expected YAML"),
        ("Conv-input:224x224x3-output:112x112x24: {mean: 1}\nFc-input:1x1x3-output:9: {mean: 1}", "line 2: .*got 'Fc-"),
        (f"{BLOCK.removesuffix('-hs:0')}: {{mean: 1}}", "line 1: expected a key of Once-for-All's MobileNetV3"),
        (f"{BLOCK.replace('kernel:5', 'kernel:five')}: {{mean: 1}}", "line 1: .*got 'expanded_conv.*kernel:five"),
        (f"Conv_1{BLOCK.removeprefix('expanded_conv')}: {{mean: 1}}", "line 1: expected a key"),
        (f"{BLOCK.replace('56x56x32', '56x32')}: {{mean: 1}}", "line 1: expected a key"),
        ("? [a, b]\n: {mean: 1}", "line 1: expected a key"),
        (f"{BLOCK}: {{count: 3}}", "line 1: expected a positive number of milliseconds in 'mean', got ''"),
        (f"{BLOCK}: 1.5", "line 1: expected a positive number of milliseconds in 'mean', got ''"),
        (f"{BLOCK}: {{mean: [1]}}", "line 1: expected a positive number of milliseconds in 'mean', got ''"),
        (f"# a\n{BLOCK}:\n  mean: -1.5\n", "line 2: expected a positive number of milliseconds in 'mean', got '-1.5'"),
        (f"{BLOCK}: {{mean: .nan}}", "line 1: expected a positive number"),
        (f"{BLOCK}: {{mean: fast}}", "line 1: expected a positive number .* got 'fast'"),
        (f"{BLOCK}: {{mean: 1}}\n{BLOCK}: {{mean: 2}}", "line 2: expected a block that no line before has"),
    ],
)
def test_a_broken_table_is_refused_with_file_and_line(write: Write, text: str, message: str) -> None:
    path = write(text)
    with pytest.raises(DynasError, match=message) as caught:
        LookupTable(path)
    assert path in str(caught.value)


def test_a_key_is_read_into_its_block() -> None:
    text = f"{BLOCK}: {{count: 50, mean: 1.5e-1, std: 0.1}}\nLogits-input:1x1x1536-output:1000: {{mean: 2}}"
    assert list(rows(text)) == [
        (1, Block("inverted_residual", (56, 56, 32), (28, 28, 48), 96, 5, 2, 0, 1, "relu"), 0.15),
        (2, Block("classify", (1, 1, 1536), (1, 1, 1000)), 2.0),
    ]


def test_what_holds_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=rf"the folder '{tmp_path}' holds no latency table: give hardware\.table="):
        LookupTable(str(tmp_path))
    with pytest.raises(DynasError, match=r"hardware\.table=\[\] names no table"):
        LookupTable([])
    (tmp_path / "table.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DynasError, match=r"cannot read a latency table '.*table\.yaml'"):
        LookupTable(str(tmp_path / "table.yaml"))
