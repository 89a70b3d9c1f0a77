"""Commands that are killed at a random moment and gone on with, and what must be left of them."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.helpers.cli import command, dynas
from tests.helpers.devices import ALL, CONFIGS, SEARCH
from tests.helpers.process_tree import alive, descendants
from tests.helpers.processes import SURROGATE, kill, start, wait_until

EARLY = 0.15  # share of the kills that come before anything is written
RANDOM = (*SURROGATE[:-2], "mode=validation", "algo=random", "algo.population=10", "budget=400")
TRAIN = (
    *("train", "supernet=ncf", "data.negatives=1"),
    *(
        "supernet.embed_dims=[8,16]",
        "supernet.hidden_sizes=[8,16]",
        "recipe.epochs=6",
        "threads=1",
        "hydra.run.dir=run",
    ),
)
TIMING = ("hardware.batch_size=1", "hardware.warmup=0", "hardware.min_repeats=2", "hardware.max_repeats=2")
IMAGES = (
    *("evaluate", "architectures=[smallest]", "objectives=[macs,params]", "data.validation_size=100"),
    *("data.calibration_size=50", "hydra.run.dir=run"),
)
SOURCE = ("search", *CONFIGS, *SEARCH, *ALL, "hydra.run.dir=source")
SLOW = ("hardware.pause=0.1", "together=1")
# columns that no two runs share; an iteration is how often something was asked for, also after a kill
DIFFERING = ("seconds [s]", "timestamp", "latency_ms", "iteration")
ORDER = {"confirmed.csv": "index"}  # members of a front are measured again in any order


@dataclass(frozen=True)
class Case:
    """A command that can be killed.

    Attributes:
        arguments: the command.
        begun: the first thing that it makes.
        goes_on: what is typed once that is there; the same command where it is empty.
        tables: patterns of the tables to which it appends.
        ends: patterns of what it has made at its end.
        first: a command that has to be run before.
    """

    arguments: tuple[str, ...]
    begun: str
    goes_on: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    first: tuple[str, ...] = ()


RUN = ("run/*.csv", "run/*.png", "run/run.json")
CASES: dict[str, Case] = {
    "search": Case(SURROGATE, "run/run.json", ("search", "resume=run"), ("run/results.csv",), RUN),
    "search, random": Case(RANDOM, "run/run.json", ("search", "resume=run"), ("run/results.csv",), RUN),
    "search, confirmed": Case(
        ("search", *CONFIGS, *SEARCH, *ALL, "hydra.run.dir=run", *SLOW),
        "run/run.json", ("search", *CONFIGS, "resume=run"), ("run/results.csv", "run/confirmed.csv"), RUN,
    ),
    "search, two workers": Case(
        (*SURROGATE, "executor=processes", "executor.workers=2"),
        "run/run.json", ("search", "resume=run"), ("run/results.csv",), RUN,
    ),
    "sweep": Case(
        (*SURROGATE[:-3], "-m", "mode=validation", "algo=random", "budget=60", "seed=1,2", "hydra.sweep.dir=sweep"),
        "sweep/multirun.yaml", ("search", "resume=sweep"), ("sweep/*/results.csv",),
        ("sweep/*/*.csv", "sweep/*/*.png", "sweep/*/run.json"),
    ),
    "train": Case(
        TRAIN, "run/run.json", ("train", "resume=run"), (), ("run/*.safetensors", "run/model_card.md", "run/run.json")
    ),
    "lut build": Case(
        ("lut", "build", *TIMING, "together=2", "table=table.csv"),
        "table.csv", (), ("table.csv",), ("table.csv",),
    ),
    "evaluate": Case(
        ("evaluate", *CONFIGS, *SEARCH, *SLOW, "architectures=source", "rows=all", "hydra.run.dir=run"),
        "run/run.json", ("evaluate", *CONFIGS, "resume=run"), ("run/results.csv",), RUN, SOURCE,
    ),
    "transfer": Case(
        ("transfer", *CONFIGS, "source", "hardware.first=3", *SLOW, "hydra.run.dir=run"),
        "run/run.json", ("transfer", *CONFIGS, "resume=run"), ("run/results.csv",), RUN, SOURCE,
    ),
    "report": Case(
        ("report", "run", "--format", "csv", "--out", "t.csv", "--pictures", "out", "--html", "page.html"),
        "t.csv", (), (), ("t.csv", "out/*", "page.html"), SURROGATE,
    ),
    "export": Case(
        ("export", "run", "--row", "1", "--formats", "pytorch,torch_export", "--to", "out"),
        "out", (), (), ("out/*",), IMAGES,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Undisturbed:
    """What a command does where nobody kills it.

    Attributes:
        before: a folder with what it needs.
        opening: seconds until it has begun.
        working: seconds from there to its end.
        product: what it has made, see `product`.
    """

    before: Path
    opening: float
    working: float
    product: dict[str, object]


def undisturbed(case: Case, before: Path, cwd: Path) -> Undisturbed:
    """Run a command to its end in a copy of the folder ``before``, in which what it needs is made first."""
    if case.first:
        made = dynas(*case.first, cwd=before)
        assert made.returncode == 0, made.stderr
    shutil.copytree(before, cwd)
    started = time.monotonic()
    child = start(*command(*case.arguments), cwd=cwd)
    wait_until((cwd / case.begun).exists, child)
    begun = time.monotonic()
    _, errors = child.communicate()
    assert child.returncode == 0, errors
    return Undisturbed(before, begun - started, time.monotonic() - begun, product(case, cwd))


def killed_once(case: Case, whole: Undisturbed, cwd: Path, moment: float) -> str:
    """Kill a command at a moment and go on with it; return when it was: ``before``, ``during`` or ``after``.

    Args:
        case: the command.
        whole: what it does otherwise.
        cwd: a new folder to do it in.
        moment: from 0, its start, to 1, its end.

    Raises:
        AssertionError: something was lost, or the end is another one than without the kill.
    """
    shutil.copytree(whole.before, cwd)
    when = kill_at(case, whole, cwd, moment)
    known = complete(case.tables, cwd)
    goes_on = case.goes_on if case.goes_on and (cwd / case.begun).exists() else case.arguments
    again = dynas(*goes_on, cwd=cwd)
    if when != "after" or case.arguments[0] != "export":  # a finished export is not overwritten
        assert again.returncode == 0, again.stderr
        assert "Traceback" not in again.stderr, again.stderr
    check(case, whole, cwd, known)
    return when


def check(case: Case, whole: Undisturbed, cwd: Path, known: dict[Path, list[bytes]]) -> None:
    """Fail where rows that were known are no longer there, or the end is another one than without a kill."""
    for path, rows in known.items():
        assert path.read_bytes().split(b"\n")[: len(rows)] == rows, f"{path}: rows are lost"
    made = product(case, cwd)
    differing = [name for name in {**made, **whole.product} if made.get(name) != whole.product.get(name)]
    assert not differing, f"{differing} differ"
    left = [str(path) for path in cwd.rglob("*.partial*")]
    assert not left, f"{left} is left"


def kill_at(case: Case, whole: Undisturbed, cwd: Path, moment: float) -> str:
    """Start a command, kill it and all its processes at a moment from 0 to 1 of its duration, and say when it was."""
    child = start(*command(*case.arguments), cwd=cwd)
    begun = (cwd / case.begun).exists
    if moment < EARLY:
        time.sleep(moment / EARLY * whole.opening)
    else:
        wait_until(begun, child)
        time.sleep((moment - EARLY) / (1 - EARLY) * whole.working)
    processes = descendants(child.pid)
    running = kill(child)
    deadline = time.monotonic() + 10
    while (left := [pid for pid in processes if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left, f"{len(left)} of {len(processes)} processes live on"
    return "after" if not running else "during" if begun() else "before"


def complete(patterns: Sequence[str], cwd: Path) -> dict[Path, list[bytes]]:
    """Return the complete lines of all tables."""
    paths = [path for pattern in patterns for path in cwd.glob(pattern)]
    return {path: path.read_bytes().split(b"\n")[:-1] for path in paths}


def product(case: Case, cwd: Path) -> dict[str, object]:
    """Return what a command has made, as far as it does not differ between any two runs."""
    paths = {path for pattern in case.ends for path in cwd.glob(pattern)}
    return {str(path.relative_to(cwd)): contents(path) for path in sorted(paths) if path.is_file()}


def contents(path: Path) -> object:
    """Return the contents of a file without times, or just that it is whole."""
    if path.name == "run.json":
        return json.loads(path.read_text())["status"]
    if path.suffix == ".csv":
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        rows = csv.DictReader(lines)
        left_out = (*DIFFERING, ORDER.get(path.name))
        return sorted([(name, cell) for name, cell in row.items() if name not in left_out] for row in rows)
    if path.suffix == ".png":
        with Image.open(path) as image:
            image.load()
    elif path.suffix in (".html", ".svg"):
        assert path.read_text().rstrip().endswith((">",)), f"{path} is torn"
    elif path.suffix == ".pt2":
        assert zipfile.ZipFile(path).testzip() is None, f"{path} is torn"
    elif path.suffix == ".safetensors":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "whole"
