"""dynas lut: tables of one's own device are built, go on after a kill, are checked, and are searched with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from dynas import DynasError
from dynas.core.bench import Meter
from dynas.core.meter import Timing
from dynas.hardware.lookup import LookupTable, TableLatency
from dynas.hardware.lut.block_timing import timed_block, timings
from dynas.hardware.lut.blocks import Block
from dynas.hardware.lut.build import TableWriter, blocks_of
from dynas.hardware.lut.csv_table import to_row
from dynas.hardware.lut.fit import agreement, fit_line, left_out
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.supernets.ncf import NcfSupernet
from dynas.supernets.proxyless import ProxylessSupernet
from dynas.supernets.resnet50 import ResNet50Supernet
from tests.helpers.cli import dynas, killed, read_rows
from tests.helpers.supernets import narrow_autoformer, narrow_bert, narrow_vit

pytestmark = pytest.mark.slow

SHAPE = ("random", 0.125, (28, 56), 1, 100, 2)
SUPERNETS: dict[str, Any] = {
    "mbv3": lambda **more: MobileNetV3Supernet(*SHAPE, (2, 1, 2, 1, 2), **more),
    "proxyless": lambda **more: ProxylessSupernet(*SHAPE, (2, 1, 2, 1, 2, 1), **more),
    "resnet50": lambda **more: ResNet50Supernet(*SHAPE, (1, 2, 2, 2), 1, **more),
}
FAST = ("hardware.batch_size=2", "hardware.warmup=0", "hardware.min_repeats=2", "hardware.max_repeats=2")


class FlopMeter(Meter):
    """Takes the number of floating-point operations, and one more, for the latency."""

    batch_size = 1

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        counts = []
        for module, own in zip(modules, inputs, strict=True):
            with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
                module(*own)
            counts.append(1e-3 * (1 + counter.get_total_flops()))
        return [Timing(count, count, count, 1) for count in counts]


class CountingMeter(Meter):
    """Takes the number of weights for the latency, so that sums can be counted by hand."""

    batch_size = 2

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        counts = [1e-3 * (1 + sum(part.numel() for part in module.parameters())) for module in modules]
        return [Timing(count, count, count, 1) for count in counts]


@pytest.fixture(params=SUPERNETS)
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def written(path: Path, supernet: Any, meter: Meter | None = None) -> Path:
    """Write the table of a supernet, by default by the counting meter."""
    blocks, meter = blocks_of(supernet), meter or CountingMeter()
    makers = [
        lambda block=block, make=make: timed_block(supernet, block, make, meter) for block, make in blocks.items()
    ]
    lines = [
        to_row(block, latency)  # type: ignore[arg-type]
        for block, latency in zip(blocks, timings(makers, meter, 8), strict=True)
    ]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def parts(supernet: Any, genotype: Any) -> int:
    """Count the blocks of a sub-network: those in its stem and its stages, pooling, head."""
    subnet = supernet.subnet(supernet.space.decode(genotype))
    stem = len(subnet.input_stem) if hasattr(subnet, "input_stem") else 1
    head = len(subnet.family.head) if hasattr(subnet, "family") else 0
    return stem + len(subnet.blocks) + 1 + head + 1


HEADER = "block,input,output,middle,kernel,stride,shortcut,se,act,latency_ms"


@pytest.mark.parametrize("heights", [None, [20, 28]])
def test_every_block_gives_what_its_row_says(name: str, heights: list[int] | None) -> None:
    for block, make in blocks_of(SUPERNETS[name](resolutions=heights)).items():
        height, width, channels = block.input
        with torch.inference_mode():
            output = make().eval()(torch.randn(2, channels, height, width))
        expected = (2, block.output[2]) if block.block == "classify" else (2, block.output[2], *block.output[:2])
        assert tuple(output.shape) == expected, block


def test_a_table_of_all_blocks_sums_to_the_whole(name: str, tmp_path: Path) -> None:
    supernet = SUPERNETS[name]()
    table = LookupTable(str(written(tmp_path / "mine.csv", supernet)))
    genotypes = np.vstack([supernet.space.smallest(), supernet.space.sample(20, np.random.default_rng(0))])
    sums = TableLatency(table).count(supernet, genotypes)
    expected = 1e-3 * (supernet.params(genotypes) + [parts(supernet, row) for row in genotypes])
    np.testing.assert_allclose(sums, expected, rtol=1e-9)


ENCODERS = {
    "bert": narrow_bert, "vit": narrow_vit, "autoformer": narrow_autoformer,
    "twice normed vit": lambda: narrow_vit(residual_norm=True),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_parts_of_an_encoder_give_what_their_rows_say_and_sum_to_the_whole(kind: str, tmp_path: Path) -> None:
    supernet = ENCODERS[kind]()
    for block, make in blocks_of(supernet).items():
        with torch.inference_mode():
            output = make().eval()(*supernet.block_inputs(block, 2))
        assert tuple(output.shape) == (2, *block.output[2 if block.block == "classify" else 1 :]), block
    table = LookupTable(str(written(tmp_path / "mine.csv", supernet, FlopMeter())))
    genotypes = np.vstack([supernet.space.smallest(), supernet.space.sample(20, np.random.default_rng(0))])
    sums = TableLatency(table).count(supernet, genotypes)
    depth = [len(supernet.subnet(supernet.space.decode(genotype)).layers) for genotype in genotypes]
    expected = 1e-3 * (2 * supernet.macs(genotypes) + 2 + 2 * np.array(depth))
    np.testing.assert_allclose(sums, expected, rtol=1e-9)


def test_blocks_are_distinct_and_cover_every_resolution() -> None:
    one, two = (blocks_of(SUPERNETS["mbv3"](resolutions=heights)) for heights in (None, [20, 28]))
    assert set(one) < set(two)
    assert len(two) > 1.5 * len(one)


def test_a_supernet_without_blocks_is_refused_in_one_sentence() -> None:
    supernet = NcfSupernet("random", 4, 5, [8, 16], [8, 16], 2)
    with pytest.raises(DynasError, match=r"'ncf' does not describe its blocks.*give supernet=mbv3"):
        blocks_of(supernet)


def test_a_table_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    path, origin = tmp_path / "mine.csv", {"supernet.width": 0.5}
    blocks = [Block("stem", (8, 8, 3), (4, 4, 16)), Block("pool", (4, 4, 16), (1, 1, 16))]
    with TableWriter(path, origin, "a table") as table:
        table.append(blocks[0], 0.25)
    whole = path.read_text()
    path.write_text(whole + "pool,4x4x16,1x1")
    with TableWriter(path, origin, "a table") as table:
        assert table.known == {blocks[0]: 0.25}
        table.append(blocks[1], 1.5)
    assert path.read_text() == whole + "pool,4x4x16,1x1x16,,,,,,,1.5\n"
    assert LookupTable(str(path)).network(blocks[0])[blocks[1]] == 1.5


def test_an_empty_file_becomes_a_table(tmp_path: Path) -> None:
    path, block = tmp_path / "mine.csv", Block("stem", (8, 8, 3), (4, 4, 16))
    path.touch()
    with TableWriter(path, {"supernet.width": 0.5}, "a table") as table:
        table.append(block, 1.0)
    assert LookupTable(str(path)).network(block)[block] == 1.0


def test_tables_of_something_else_are_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    with TableWriter(path, {"supernet.width": 0.5, "hardware.threads": 1}, "a table"):
        pass
    before = path.read_bytes()
    with pytest.raises(DynasError, match=r"was begun with supernet.width=0.5 \(now 1.0\)"):
        TableWriter(path, {"supernet.width": 1.0, "hardware.threads": 1}, "a table")
    assert path.read_bytes() == before
    path.write_text("name,score\nsomebody,1\n")
    with pytest.raises(DynasError, match="is no table that dynas lut build began"):
        TableWriter(path, {"supernet.width": 1.0}, "a table")
    assert path.read_text() == "name,score\nsomebody,1\n"
    with pytest.raises(DynasError, match="cannot write the table"):
        TableWriter(tmp_path / "none" / "mine.csv", {}, "a table")


def test_a_line_brings_affine_latencies_together() -> None:
    rng = np.random.default_rng(0)
    sums = rng.uniform(5, 20, 30)
    exact = 1.7 * sums + 2
    np.testing.assert_allclose(fit_line(sums, exact), (1.7, 2), rtol=1e-9)
    noisy = exact * rng.normal(1, 0.02, 30)
    before, after = agreement(sums, noisy), agreement(left_out(sums, noisy), noisy)
    assert before.mape > 40
    assert after.mape < 3
    assert abs(after.bias) < 1
    assert after.tau > 0.9


def test_scale_and_offset_change_latencies_and_are_told(tmp_path: Path) -> None:
    supernet = SUPERNETS["mbv3"]()
    path = str(written(tmp_path / "mine.csv", supernet))
    genotypes = supernet.space.sample(5, np.random.default_rng(0))
    plain, corrected = (TableLatency(LookupTable(path, None, *line)) for line in ((), (2.0, 0.5)))
    expected = 2 * plain.count(supernet, genotypes) + 0.5
    np.testing.assert_allclose(corrected.count(supernet, genotypes), expected, rtol=1e-9)
    assert "times 2 plus 0.5 ms" in corrected.note
    assert "times" not in plain.note
    with pytest.raises(DynasError, match=r"hardware.offset=-1000.0 makes a latency of -\d+"):
        TableLatency(LookupTable(path, None, 1.0, -1000.0)).count(supernet, genotypes)
    for line in ((0.0, 1.0), (-1.0, 1.0), (1.0, float("nan")), (float("inf"), 0.0)):
        with pytest.raises(DynasError, match="give a positive scale and an offset"):
            LookupTable(path, None, *line)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table that was killed, then went on."""
    folder = tmp_path_factory.mktemp("built")
    killed("lut", "build", "table=mine.csv", "together=4", *FAST, cwd=folder, once=folder / "mine.csv")
    before = (folder / "mine.csv").read_bytes()
    done = dynas("lut", "build", "table=mine.csv", "together=4", *FAST, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "78 blocks in mine.csv" in done.stdout
    assert (folder / "mine.csv").read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    return folder


def test_a_finished_table_is_not_measured_again(built: Path) -> None:
    before = (built / "mine.csv").read_bytes()
    again = dynas("lut", "build", "table=mine.csv", *FAST, cwd=built)
    assert again.returncode == 0, again.stderr
    assert "78 of 78 blocks are in the table already" in again.stdout
    assert (built / "mine.csv").read_bytes() == before


def test_a_table_is_checked_and_searched_with(built: Path) -> None:
    own = ("data.validation_size=50", "table=mine.csv")
    checked = dynas("lut", "check", *own, "examples=4", *FAST, "hydra.run.dir=check", cwd=built)
    assert checked.returncode == 0, checked.stderr
    assert (built / "check" / "check.csv").read_text().count("\n") == 7
    line = next(line for line in checked.stdout.splitlines() if "dynas search" in line or "no correction" in line)
    scale = 1.25
    if "no correction" not in line:
        scale = float(line.split("hardware.scale=")[1].split()[0])
        assert line.endswith(" data.validation_size=50"), "what is no setting of the check is one of the search"
    even_table = re.sub(r",[\d.e-]+$", ",1", (built / "mine.csv").read_text(), flags=re.MULTILINE)
    (built / "even.csv").write_text(even_table)
    evaluate = ("evaluate", "architectures=[smallest,largest]", "objectives=[latency,macs]", "hardware=lut")
    tables = {
        "plain": ("hardware.table=mine.csv",),
        "corrected": ("hardware.table=mine.csv", f"hardware.scale={scale}", "hardware.offset=0.5"),
        "even": ("hardware.table=even.csv",),
    }
    found = []
    for folder, line in tables.items():
        done = dynas(*evaluate, *line, f"hydra.run.dir={folder}", cwd=built)
        assert done.returncode == 0, done.stderr
        found.append([float(row["latency [ms, table]"]) for row in read_rows(built / folder)])
    plain, corrected, even = found
    assert min(plain) > 0
    assert even == [16, 26], "of 1 ms for each block, the smallest sub-network has ten less"
    assert corrected == pytest.approx([scale * one + 0.5 for one in plain], rel=1e-6)


def test_a_block_that_fails_costs_no_other_one() -> None:
    class Fragile(CountingMeter):
        def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
            if any(isinstance(module, nn.Conv2d) for module in modules):
                raise ValueError("no such layer here")
            return super().__call__(modules, inputs)

    meter = Fragile()
    makers = [lambda layer=layer: (layer, ()) for layer in (nn.Linear(1, 1), nn.Conv2d(1, 1, 1), nn.Linear(2, 2))]
    assert list(timings(makers, meter, 3)) == [0.003, "ValueError: no such layer here", pytest.approx(0.007)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lut", "buld"], "unknown command of dynas lut 'buld': choose one of build, check"),
        (["lut", "build", "supernet=ncf"], "'ncf' does not describe its blocks"),
        (["lut", "build", "hardware=note10"], "times no modules: choose hardware=cpu"),
        (["lut", "check", "table=none.csv"], "cannot read a latency table 'none.csv'"),
        (["search", "hardware=lut"], "hardware.table"),
    ],
)
def test_bad_input_gets_one_clear_sentence(arguments: list[str], message: str, tmp_path: Path) -> None:
    refused = dynas(*arguments, cwd=tmp_path)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert refused.stderr.count("\n") == 1, refused.stderr


def test_help_says_what_there_is(tmp_path: Path) -> None:
    shown = dynas("lut", "--help", cwd=tmp_path).stdout
    assert "dynas lut build" in shown
    assert "dynas lut check" in shown
    for command in ("build", "check"):
        own = dynas("lut", command, "--help", cwd=tmp_path)
        assert own.returncode == 0, own.stderr
        assert "table:" in own.stdout
