"""Redoes figures: their runs, then their pictures, tables and texts, then one page with all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console

from dynas.errors import DynasError
from dynas.paper.figures import FIGURES, Figure
from dynas.paper.jobs import run_all
from dynas.paper.searches import Size
from dynas.system.machine import machine_facts, package_versions

RUNS, PAGE = "runs", "paper.md"
INTRODUCTION = """\
# The paper's figures and tables, redone

Figures and tables of *A Hardware-Aware Framework for Accelerating Neural Architecture Search Across Modalities*
(Cummings et al. 2022, [arXiv:2205.10358](https://arxiv.org/abs/2205.10358)) whose numbers a search can give. Every
section was written by the command that stands in it; this page collects them. `dynas paper` lists them, and
`dynas paper all` makes them anew.

What differs from the paper, and why:

- **Data and weights.** The paper searches full-size networks, for images those trained on ImageNet. Here are its search
  space of MobileNetV3 with a model of ImageNet top-1, and narrow networks with small data sets that come with the
  package. Hypervolumes and latencies are therefore of another size; what can be compared is the order of the searches,
  and how many evaluations they need.
- **Machine.** Latencies come from a table, or were measured on this machine.
- **Size.** Measured landscapes have few seeds and evaluations, so that small differences there are chance. Every curve
  is made of first measurements, whose lucky ones make hypervolumes a little too large.
- **Settings.** "LINAS (paper)" and its rivals are the presets `experiment=paper/...`. Exact costs such as MACs and
  table latencies are computed and not predicted, inactive genes are masked, and operators work on integers, other than
  in the paper's code. "LINAS (default here)" is what `dynas search` does when nothing is said. Random search draws
  every sub-network with the same probability, and most of them are deep.
- **Not here.** Figures and tables that are not in this list show no result of a search, or nothing that is known to us.
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
    """Make a figure's runs, pictures, tables and text, and return its files."""
    run_all([job for part in figure.parts for job in part.jobs(size)], out / RUNS, console)
    folder = out / figure.name
    folder.mkdir(exist_ok=True)
    paragraphs = [
        f"## {figure.title}: {figure.shows}",
        f"    dynas paper {figure.name}{size.options()}    # {datetime.now(UTC):%Y-%m-%d}",
        f"**The paper.** {figure.known}",
        f"**Here.** {figure.differs}",
    ]
    for part in figure.parts:
        paragraphs += part.finish(size, out / RUNS, folder / "_".join(filter(None, (figure.name, part.name))))
    (folder / f"{figure.name}.md").write_text("\n\n".join(paragraphs) + "\n", encoding="utf-8")
    return sorted(folder.iterdir())


def write_page(out: Path) -> None:
    """Write one page with every figure that lies in ``out``."""
    machine, versions = machine_facts(), package_versions()
    packages = ", ".join(f"{name} {versions[name]}" for name in ("torch", "scikit-learn", "pymoo", "optuna"))
    facts = f"Made on {machine['cpu']} with {machine['cores']} cores, by Python {machine['python']}, {packages}."
    texts = [
        re.sub(r"(!\[[^\]]*\]\()", rf"\g<1>{figure.name}/", path.read_text(encoding="utf-8"))
        for figure in FIGURES
        if (path := out / figure.name / f"{figure.name}.md").is_file()
    ]
    (out / PAGE).write_text("\n".join([INTRODUCTION, f"{facts}\n", *texts]), encoding="utf-8")
