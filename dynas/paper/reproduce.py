"""Redoes figures: their runs, then their pictures, tables and texts, then one page with all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console

from dynas.errors import DynasError
from dynas.paper.claims import count, read_claims, table, write_claims
from dynas.paper.figure import Figure
from dynas.paper.figures import FIGURES
from dynas.paper.jobs import run_all
from dynas.paper.searches import Size
from dynas.system.machine import machine_facts, package_versions

RUNS, PAGE = "runs", "paper.md"
TITLE = "# The paper's figures and tables, redone\n"
INTRODUCTION = """\
Figures and tables of *A Hardware-Aware Framework for Accelerating Neural Architecture Search Across Modalities*
(Cummings et al. 2022, [arXiv:2205.10358](https://arxiv.org/abs/2205.10358)). Every section was written by the command
that stands in it; `dynas paper all` makes the whole page anew.

- **Data and weights.** The paper searches full-size networks. Here are its space of MobileNetV3 with a model of
  ImageNet top-1 and its own table of a Samsung Note10, and the narrow networks of this package with small data sets.
- **Measured once.** Some 1,500 random sub-networks of each embedded supernet were measured on a CPU, and lie in
  the package (`data=tabulated`). Searches are told by a model that was fitted to them, and say so, with its
  cross-validated error. Every sub-network has the same value in every search.
- **Settings.** "LINAS (paper)" and its rivals are the presets `experiment=paper/...`. "LINAS (default here)" is what
  `dynas search` does when nothing is said. Claims are judged by the paper's setting.
- **Verdicts.** A claim *holds* where our value is at least the paper's, or where a difference is larger than two
  standard errors of five seeds. It holds *in direction only* where it is smaller and on the same side.
- **Hypervolumes** in claims are normalised: shares of the box between the worst and the best that any of the compared
  runs measured.
"""


def redo(figures: Sequence[Figure], size: Size, out: Path, console: Console) -> None:
    """Redo figures into ``out``, one folder each.

    Raises:
        DynasError: a run failed, or the folder cannot be written or is in use.
        KeyboardInterrupt: the user interrupts; finished runs and figures stay.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / ".lock", timeout=0):
            for figure in figures:
                console.print(f"{figure.title}: {figure.shows}", style="bold", soft_wrap=True)
                for path in redo_one(figure, size, out, console):
                    console.print(f"  {path}", highlight=False, soft_wrap=True)
            write_page(out)
            console.print(f"all that is there, on one page: {out / PAGE}", highlight=False, soft_wrap=True)
    except Timeout as error:
        raise DynasError(f"another dynas paper works in '{out}': wait for it, or give another --out") from error
    except OSError as error:
        raise DynasError(f"cannot write '{error.filename or out}': {error.strerror}") from error


def redo_one(figure: Figure, size: Size, out: Path, console: Console) -> list[Path]:
    """Make a figure's runs, pictures, tables, claims and text, and return its files."""
    run_all([job for part in figure.parts for job in part.jobs(size)], out / RUNS, console)
    folder = out / figure.name
    folder.mkdir(exist_ok=True)
    told = [
        part.finish(size, out / RUNS, folder / "_".join(filter(None, (figure.name, part.name))))
        for part in figure.parts
    ]
    claims = [*(claim for one in told for claim in one.claims), *figure.untried]
    paragraphs = [
        f"## {figure.title}: {figure.shows}",
        f"    dynas paper {figure.name}{size.options()}    # {datetime.now(UTC):%Y-%m-%d}",
        figure.here,
        *([table(claims)] if claims else []),
        *(paragraph for one in told for paragraph in one.paragraphs),
    ]
    write_claims(folder, claims)
    (folder / f"{figure.name}.md").write_text("\n\n".join(paragraphs) + "\n", encoding="utf-8")
    return sorted(folder.iterdir())


def write_page(out: Path) -> None:
    """Write one page with all claims, and every figure that lies in ``out``."""
    machine, versions = machine_facts(), package_versions()
    packages = ", ".join(f"{name} {versions[name]}" for name in ("torch", "scikit-learn", "pymoo", "optuna"))
    facts = f"Made on {machine['cpu']} with {machine['cores']} cores, by Python {machine['python']}, {packages}."
    texts = [
        re.sub(r"(!\[[^\]]*\]\()", rf"\g<1>{figure.name}/", path.read_text(encoding="utf-8"))
        for figure in FIGURES
        if (path := out / figure.name / f"{figure.name}.md").is_file()
    ]
    claims = [claim for figure in FIGURES for claim in read_claims(out / figure.name)]
    missing = [figure.name for figure in FIGURES if not (out / figure.name / f"{figure.name}.md").is_file()]
    if missing:
        facts += f" Not made yet: {', '.join(missing)}."
    (out / PAGE).write_text(
        "\n".join([TITLE, f"{count(claims)}.\n", table(claims), "", INTRODUCTION, f"{facts}\n", *texts]),
        encoding="utf-8",
    )
