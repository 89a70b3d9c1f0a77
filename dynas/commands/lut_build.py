"""``dynas lut build``: measures every distinct block of a supernet once and writes a latency table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from dynas.commands.hydra_job import run_hydra
from dynas.commands.sweep import heading
from dynas.compose.next_command import next_command
from dynas.compose.overrides import flat, plain
from dynas.errors import DynasError

if TYPE_CHECKING:
    from rich.console import Console

    from dynas.core.bench import Meter
    from dynas.core.supernet import Supernet
    from dynas.hardware.lut.block_timing import MakeTimed
    from dynas.hardware.lut.blocks import Block
    from dynas.hardware.lut.build import TableWriter


def main(arguments: list[str]) -> int:
    """Run ``dynas lut build`` with Hydra's arguments and return the exit status."""
    return run_hydra("lut_build", build_job, arguments)


def build_job(config: DictConfig) -> int:
    """Measure what the table lacks; returns 0, 1 where a block failed, or 130 after an interrupt."""
    from dynas.hardware.lut.block_timing import timed_block
    from dynas.hardware.lut.build import TableWriter, blocks_of
    from dynas.system.machine import cpu_model
    from dynas.system.screen import screen

    supernet, meter = parts(config)
    blocks = blocks_of(supernet)
    settings = plain(config)
    origin = flat({part: settings[part] for part in ("supernet", "hardware")}) | {"cpu": cpu_model()}
    about = (
        f"Median milliseconds of one forward pass of every block of supernet {supernet.name}, batch of "
        f"{meter.batch_size}, measured by dynas lut build"
    )
    console = screen()
    try:
        with TableWriter(Path(config.table), origin, about) as table:
            left = {block: make for block, make in blocks.items() if block not in table.known}
            if foreign := [block for block in table.known if block not in blocks]:
                raise DynasError(
                    f"'{table.path}' holds the block {foreign[0]}, which this supernet lacks: give another table"
                )
            if len(left) < len(blocks):
                console.print(
                    f"{len(blocks) - len(left)} of {len(blocks)} blocks are in the table already", highlight=False
                )
            makers = {block: partial(timed_block, supernet, block, make, meter) for block, make in left.items()}
            return fill(table, makers, meter, config.together, console)
    except KeyboardInterrupt:
        console.print(f"interrupted; the same command goes on with '{config.table}'", soft_wrap=True, highlight=False)
        return 130


def parts(config: DictConfig) -> tuple[Supernet, Meter]:
    """Return supernet and meter of a config.

    Raises:
        DynasError: they do not fit together, or a number makes no sense.
    """
    from dynas.compose.fit import introduce
    from dynas.compose.numbers import check_together
    from dynas.compose.parts import build_data, build_meter, build_supernet
    from dynas.core.bench import Bench
    from dynas.core.texts import ReadsTexts
    from dynas.metrics.measurer import Measurer

    check_together(config)
    supernet = build_supernet(config)
    if isinstance(supernet, ReadsTexts):
        introduce(config, build_data(config), supernet)  # they tell how long texts are
    meter = build_meter(config, supernet)
    Measurer(Bench(supernet, None, meter)).check()  # type: ignore[arg-type]  # latency needs no data
    return supernet, meter


def fill(table: TableWriter, left: Mapping[Block, MakeTimed], meter: Meter, together: int, console: Console) -> int:
    """Measure blocks into the table and show it; return the exit status."""
    from dynas.core.activity import doing
    from dynas.display.display import Display
    from dynas.hardware.lut.block_timing import timings

    failed = 0
    with Display(table.path, heading(), console, "blocks", "table") as display, doing("timing blocks"):
        display.begin(len(left))
        for block, latency in zip(left, timings(list(left.values()), meter, together), strict=True):
            display.count()
            if isinstance(latency, str):
                failed += 1
                console.print(f"{block} failed: {latency}", soft_wrap=True, highlight=False, markup=False)
            else:
                table.append(block, latency)
    if failed:
        console.print(f"{failed} blocks failed: the same command tries them again", highlight=False)
        return 1
    console.print(f"{len(table.known)} blocks in {table.path}", soft_wrap=True, highlight=False)
    console.print(f"check it: {next_command('lut check')}", soft_wrap=True, highlight=False)
    return 0
