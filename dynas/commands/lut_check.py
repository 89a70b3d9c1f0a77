"""``dynas lut check``: compares a latency table's sums with measured sub-networks, and fits a correction."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from omegaconf import DictConfig

from dynas.commands.hydra_job import run_hydra
from dynas.commands.sweep import heading
from dynas.compose.next_command import PARTS, next_command
from dynas.compose.overrides import plain, run_folder
from dynas.errors import DynasError
from dynas.runs.names import CHECK

if TYPE_CHECKING:
    from rich.console import Console

    from dynas.core.bench import Meter
    from dynas.core.objectives import Values
    from dynas.core.space import Genotypes
    from dynas.core.supernet import Supernet
    from dynas.hardware.lut.fit import Agreement

LEAST = 3  # measurements; a line through two always fits


def main(arguments: list[str]) -> int:
    """Run ``dynas lut check`` with Hydra's arguments and return the exit status."""
    return run_hydra("lut_check", check_job, arguments)


def check_job(config: DictConfig) -> int:
    """Compare and print; returns 0, 1 where too few sub-networks could be measured, or 130 after an interrupt."""
    from dynas.commands.lut_build import parts
    from dynas.hardware.lookup import LookupTable, TableLatency
    from dynas.system.files import number, write_csv
    from dynas.system.screen import screen

    if config.examples < 1:
        raise DynasError(f"examples={config.examples}: give 1 or more")
    console = screen()
    supernet, meter = parts(config)
    space = supernet.space
    rows = [
        space.smallest()[None],
        space.largest()[None],
        space.sample(config.examples, np.random.default_rng(config.seed)),
    ]
    genotypes = np.unique(space.canonical(np.concatenate(rows)), axis=0)
    sums = TableLatency(LookupTable(plain(config)["table"])).count(supernet, genotypes)
    try:
        measured = measure(supernet, meter, genotypes, config.together, console)
    except KeyboardInterrupt:
        return 130
    usable = np.isfinite(measured)
    cells = zip(map(space.key, genotypes), map(number, sums), map(number, measured), strict=True)
    write_csv(run_folder() / CHECK, ["key", "table [ms]", "measured [ms]"], [list(row) for row in cells])
    if usable.sum() < LEAST:
        console.print(f"{usable.sum()} sub-networks were measured: {LEAST} or more are needed")
        return 1
    conclude(str(config.table), sums[usable], measured[usable], console)
    return 0


def measure(supernet: Supernet, meter: Meter, genotypes: Genotypes, together: int, console: Console) -> Values:
    """Return the latencies ``(n,)`` of genotypes ``(n, G)`` in milliseconds, NaN where one failed."""
    from dynas.core.activity import doing
    from dynas.display.display import Display
    from dynas.hardware.lut.block_timing import timed_subnet, timings

    makers = [partial(timed_subnet, supernet, supernet.space.decode(genotype), meter) for genotype in genotypes]
    values: list[float] = []
    with Display(run_folder(), heading(), console, "sub-networks") as display, doing("timing sub-networks"):
        display.begin(len(makers))
        for latency in timings(makers, meter, together):
            display.count()
            if isinstance(latency, str):
                console.print(f"a sub-network failed: {latency}", soft_wrap=True, highlight=False, markup=False)
            values.append(np.nan if isinstance(latency, str) else latency)
    return np.array(values)


def conclude(table: str, sums: Values, measured: Values, console: Console) -> None:
    """Print how well sums ``(n,)`` stand for measured latencies ``(n,)``, as they are and corrected."""
    from dynas.hardware.lut.fit import agreement, fit_line, left_out

    scale, offset = fit_line(sums, measured)
    console.print(f"{len(sums)} sub-networks, {measured.min():.4g} to {measured.max():.4g} ms", highlight=False)
    console.print(f"sums of the table:           {sentence(agreement(sums, measured))}", highlight=False)
    if scale <= 0:
        console.print("longer sums do not mean longer latencies: no correction makes this table useful here")
        return
    console.print(
        f"corrected, each left out:    {sentence(agreement(left_out(sums, measured), measured))}", highlight=False
    )
    settings = (f"hardware.table={table}", f"hardware.scale={scale:.6g}", f"hardware.offset={offset:.6g}")
    search = next_command("search", "hardware=lut", *settings, only=PARTS)
    console.print(f"search with the correction:  {search}", soft_wrap=True, highlight=False)


def sentence(found: Agreement) -> str:
    """Return an agreement in words."""
    return f"MAPE {found.mape:.1f} %, bias {found.bias:+.1f} %, Kendall tau {found.tau:.3f}"
