"""``dynas report``: compares runs, draws them, and picks the sub-network to deploy."""

from __future__ import annotations

import argparse
import contextlib
import glob
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from dynas.commands.parser import Parser
from dynas.errors import DynasError
from dynas.report.comparable import timing_text
from dynas.report.compare import Comparison, compare, named
from dynas.report.groups import chosen_runs, shared_choices
from dynas.report.next_commands import evaluate_command, export_command, has_commands, index
from dynas.report.normalise import Scale, normalise
from dynas.report.pick import Pick, parse_wish, pick, values_text
from dynas.report.select import parse_reference, with_objectives
from dynas.report.tables import (
    comparison_csv,
    comparison_latex,
    comparison_markdown,
    comparison_records,
    comparison_tables,
    front_table,
    speed_table,
)
from dynas.report.text import point_text, printable
from dynas.report.tuned import tuned_table
from dynas.runs.load import find_runs, load_run
from dynas.runs.tuned import read_tuned
from dynas.system.screen import screen

FORMATS = ("table", "csv", "markdown", "latex", "json")
DESCRIPTION = (
    "Compares runs by hypervolume. Runs are grouped by what differs between them; those that differ in nothing but "
    "their seed are averaged. All have one reference point, by default the worst value of each objective measured in "
    "any of them. A group reaches a hypervolume where its mean over seeds does; '10 (5.9x)' says that it does so after "
    "10 evaluations, and that the other group itself needed 5.9 times as many."
)
EPILOG = (
    "examples: dynas report outputs/sweep_...   |   dynas report 'outputs/mbv3_*' --where algo=nsga2 --html report.html"
    "   |   dynas report outputs/<run folder> --pick 'latency<=20'   (quote < and >, which mean files to a shell)"
)


def make_parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = Parser(prog="dynas report", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="RUN", help="run folders, folders of runs, or patterns such as 'out*/*'"
    )
    parser.add_argument(
        "--where", action="append", default=[], metavar="KEY=VALUE",
        help="only runs that have it, e.g. mode=linas, seed=0 or objectives=top1,latency; may be repeated",
    )  # fmt: skip
    parser.add_argument("--objectives", metavar="A,B", help="only these objectives, in this order; all by default")
    parser.add_argument(
        "--normalise", action="append", default=[], metavar="OBJECTIVE[=LOW,HIGH]",
        help="scale an objective to 0 at its least and 1 at its largest value in any run, or between two limits",
    )  # fmt: skip
    parser.add_argument(
        "--name", action="append", default=[], metavar="KEY=VALUE:TEXT",
        help="what a group is called, e.g. 'mode=linas:LINAS (ours)'; may be repeated",
    )  # fmt: skip
    parser.add_argument("--reference", metavar="A=1,B=2", help="the reference point of the hypervolume")
    parser.add_argument(
        "--format", choices=("table", "csv", "markdown", "latex", "json"), default="table", help="of the table"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table there instead of printing it")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw every picture that applies")
    parser.add_argument("--columns", type=int, choices=(1, 2), help="pictures as wide as one or two columns of a paper")
    parser.add_argument("--font", type=float, metavar="PT", help="size of their texts; 8 with --columns")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write an interactive page that opens offline")
    parser.add_argument("--serve", action="store_true", help="serve that page, and make it anew as the runs go on")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="of --serve; a free one by default")
    parser.add_argument("--host", default="127.0.0.1", help="of --serve; by default only this machine can read it")
    parser.add_argument(
        "--optuna", metavar="STORAGE",
        help="write each run as an Optuna study, for optuna-dashboard: sqlite:///study.db or journal:///study.log",
    )  # fmt: skip
    parser.add_argument(
        "--pick",
        metavar="WISH",
        help="name the one sub-network to deploy: knee, 'latency<=20', 'latency<=0.6x' of the original or 'top1>=80'",
    )
    return parser


def main(argv: list[str]) -> int:
    """Run ``dynas report`` and return the exit status.

    Raises:
        DynasError: there is no run, the runs cannot be compared, or a file cannot be written.
    """
    given = make_parser().parse_args(argv)
    if given.serve:
        return serve(given)
    comparison, chosen, scales = compared(given)
    buffer = io.StringIO()
    table: IO[str] = buffer if given.out else sys.stdout
    if chosen:
        table.write(_picked(chosen, given.format))
    else:
        _compared(comparison, given.format, table)
    if given.out:
        text = buffer.getvalue()
        _written(given.out, lambda: given.out.write_text(text, encoding="utf-8", errors="surrogateescape"))
    words = sys.stdout if given.format in ("table", "markdown") and not given.out else sys.stderr
    said = [] if chosen else _said(comparison)
    for line in (*said, *scales, *(f"  {path}" for path in _draw(comparison, chosen, given))):
        print(printable(str(line)), file=words)
    return 0


def compared(given: argparse.Namespace) -> tuple[Comparison, Pick | None, list[Scale]]:
    """Return what the runs are together, the sub-network that is picked, and how objectives were scaled."""
    runs = chosen_runs([load_run(folder) for folder in find_runs(given.paths)], given.where)
    runs = with_objectives(runs, given.objectives.split(",") if given.objectives else None)
    scales = []
    for wanted in given.normalise:
        runs, scale = normalise(runs, wanted)
        scales.append(scale)
    reference = parse_reference(given.reference, runs[0].objectives) if given.reference else None
    comparison = named(compare(runs, reference), given.name)
    chosen = (
        pick(comparison.runs, parse_wish(given.pick, comparison.objectives, comparison.original))
        if given.pick
        else None
    )
    return comparison, chosen, scales


def serve(given: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C; runs may begin, go on and end meanwhile."""
    from dynas.report.page.page import page
    from dynas.report.page.serve import Pages, Server

    for path in given.paths:
        if not path.exists() and not glob.has_magic(str(path)):
            raise DynasError(f"'{path}' does not exist: give a run folder, or a folder of runs such as outputs")

    def render(version: str) -> str:
        comparison, chosen, _ = compared(given)
        return page(comparison, chosen, version)

    with Server(Pages(given.paths, render), given.host, given.port) as server:
        print(f"{server.url}  (Ctrl-C ends it)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


def _compared(comparison: Comparison, form: str, file: IO[str]) -> None:
    """Write the comparison in a format."""
    if form == "csv":
        file.write(comparison_csv(comparison))
    elif form == "json":
        file.write(json.dumps(comparison_records(comparison), indent=2, ensure_ascii=False) + "\n")
    elif form == "latex":
        file.write(comparison_latex(comparison) + "\n")
    elif form == "markdown":
        file.write(comparison_markdown(comparison) + "\n\n")
    else:
        console = screen(file)
        if len(comparison.runs) == 1:
            run = comparison.runs[0]
            console.print(front_table(run))
            if tuned := read_tuned(run):
                console.print(tuned_table(tuned))
        console.print(*comparison_tables(comparison), sep="")
        if len(comparison.groups) > 1:
            console.print(speed_table(comparison))


def _said(comparison: Comparison) -> list[str]:
    """Return what the numbers depend on, one sentence a line."""
    shared = ", ".join(f"{key} {option}" for key, option in shared_choices(comparison.runs).items())
    meaning = "the worst measured in any of the runs" if comparison.worst else "as given"
    point = point_text(comparison.objectives, comparison.reference)
    lines = [f"all: {shared}"] if shared else []
    lines.append(f"reference point: {point} ({meaning})")
    if len(comparison.runs) > 1:  # the front of a single run has it beneath
        lines += dict.fromkeys(filter(None, map(timing_text, comparison.runs)))
    return lines + [f"note: {note}" for note in comparison.notes]


def _picked(chosen: Pick, form: str) -> str:
    """Return the chosen sub-network in a format: text, or JSON."""
    run, row = chosen.run, chosen.row
    measured = zip(run.objectives, run.values[row].tolist(), strict=True)
    facts = {
        "run": str(run.folder),
        "row": int(index(run, row)),
        "architecture": json.loads(run.architectures[row]),
        "measured": {objective.column: value for objective, value in measured},
        "why": chosen.reason,
    }
    if has_commands(run):
        facts |= {"evaluate": evaluate_command(run, row), "export": export_command(run, row)}
    if form == "json":
        return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    if form != "table":
        raise DynasError(f"--pick has no --format {form}: choose table or json")
    lines = [f"row {facts['row']} of {run.folder}: {values_text(chosen)}", f"why: {chosen.reason}"]
    lines += [*filter(None, [timing_text(run)]), "", json.dumps(facts["architecture"]), ""]
    if has_commands(run):
        lines += ["measure it again, and write it as files:", f"  {facts['evaluate']}", f"  {facts['export']}"]
    return "".join(f"{printable(str(line))}\n" for line in lines)


def _draw(comparison: Comparison, chosen: Pick | None, given: argparse.Namespace) -> list[Path | str]:
    """Write pictures, page and studies as far as they are asked for."""
    paths: list[Path | str] = []
    if given.pictures:
        from dynas.report.plots.paper import on_paper
        from dynas.report.plots.pictures import write_pictures

        with on_paper(given.columns, given.font):
            _written(given.pictures, lambda: paths.extend(write_pictures(comparison, given.pictures)))
    elif given.columns or given.font:
        raise DynasError("--columns and --font say how pictures are drawn: give --pictures <folder> as well")
    if given.html:
        from dynas.report.page.page import write_page

        _written(given.html, lambda: write_page(comparison, given.html, chosen))
        paths.append(given.html)
    if given.optuna:
        from dynas.runs.study_writing import write_studies

        write_studies(comparison.runs, given.optuna)
        paths.append(given.optuna)
    return paths


def _written(path: Path, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        raise DynasError(f"cannot write '{path}': {error.strerror}") from error
