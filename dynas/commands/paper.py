"""``dynas paper``: redoes the figures and tables of Cummings et al. 2022 (arXiv:2205.10358)."""

from __future__ import annotations

import argparse
import shlex
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dynas.commands.parser import Parser
from dynas.errors import DynasError

if TYPE_CHECKING:
    from rich.table import Table

    from dynas.paper.figure import Figure

LEAST_BUDGET = 30
DESCRIPTION = (
    "Redoes figures and tables of Cummings et al. 2022 (arXiv:2205.10358): makes the searches that they need, or goes "
    "on with them, and writes pictures, tables and a text that compares with the paper. Without a name it lists them."
)
EPILOG = "examples: dynas paper   |   dynas paper figure4 table3   |   dynas paper all --seeds 3 --out outputs/paper"


def make_parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = Parser(prog="dynas paper", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("names", nargs="*", metavar="NAME", help="figure4, table3, ..., all, or list (the default)")
    parser.add_argument("--seeds", type=int, metavar="N", help="searches that are averaged; each figure has its own")
    parser.add_argument(
        "--budget", type=int, metavar="N",
        help=f"evaluations of a LINAS search, {LEAST_BUDGET} or more; rivals keep their ratio to it",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("outputs/paper"), metavar="FOLDER", help="outputs/paper by default"
    )
    return parser


def main(argv: list[str]) -> int:
    """Run ``dynas paper`` and return the exit status: 0, or 130 after an interrupt.

    Raises:
        DynasError: a name or a number makes no sense, or a search failed.
    """
    given = make_parser().parse_args(argv)
    from dynas.paper.reproduce import redo
    from dynas.paper.searches import Size
    from dynas.system.screen import screen

    check_numbers(given.seeds, given.budget)
    console = screen()
    figures = chosen(given.names)
    if not figures:
        console.print(list_table())
        console.print("redo one or more: dynas paper figure4 table3, or all of them: dynas paper all")
        return 0
    # an interrupt must reach the searches, too, where a shell starts us in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        redo(figures, Size(given.seeds, given.budget), given.out, console)
    except KeyboardInterrupt:
        console.print(f"interrupted; go on with: dynas paper {shlex.join(argv)}", soft_wrap=True, highlight=False)
        return 130
    return 0


def check_numbers(seeds: int | None, budget: int | None) -> None:
    """Raise DynasError where a size makes no sense."""
    if seeds is not None and seeds < 1:
        raise DynasError(f"--seeds {seeds}: give 1 or more")
    if budget is not None and budget < LEAST_BUDGET:
        raise DynasError(f"--budget {budget}: give {LEAST_BUDGET} or more, so that there are a few rounds")


def chosen(names: Sequence[str]) -> list[Figure]:
    """Return the figures with these names in the order of the paper; none for ``list`` or no name at all.

    Raises:
        DynasError: there is no such figure.
    """
    from dynas.errors import one_of
    from dynas.paper.figures import FIGURES

    known = [figure.name for figure in FIGURES]
    for name in names:
        if name not in (*known, "all", "list"):
            raise one_of("figure or table", name, ["all", "list", *known])
    return [figure for figure in FIGURES if "list" not in names and (figure.name in names or "all" in names)]


def list_table() -> Table:
    """Return all figures: what each shows, which runs it needs, and how long they take."""
    from rich import box
    from rich.table import Table

    from dynas.paper.figures import FIGURES
    from dynas.paper.searches import Size

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("name", "what the paper shows", "runs"):
        table.add_column(name, no_wrap=name == "name")
    table.add_column("minutes", justify="right")
    for figure in FIGURES:
        jobs = dict.fromkeys(job for part in figure.parts for job in part.jobs(Size()))
        minutes = str(figure.minutes)
        table.add_row(figure.name, figure.shows, runs_text([job.command for job in jobs]), minutes)
    total = {job for figure in FIGURES for part in figure.parts for job in part.jobs(Size())}
    table.caption = f"minutes: on two cores, without any run yet; {len(total)} runs in all, as figures share theirs"
    table.caption_justify = "left"
    return table


def runs_text(commands: Sequence[str]) -> str:
    """Return which commands are run how often, in words."""
    words = {"search": "searches", "predictors": "predictor studies", "transfer": "transfers"}
    counts = {what: commands.count(command) for command, what in words.items() if command in commands}
    one = {"searches": "search", "predictor studies": "predictor study", "transfers": "transfer"}
    return ", ".join(f"{count} {what if count > 1 else one[what]}" for what, count in counts.items()) or "none"
