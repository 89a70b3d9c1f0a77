"""What trackers have in common: what they tell, and that none of them ever costs a measurement."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import math
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dynas.core.callback import Callback, Progress
from dynas.core.evaluation import Evaluation
from dynas.errors import DynasWarning, reason
from dynas.runs.names import FRONT, RUN

log = logging.getLogger(__name__)

MOST_FAILURES = 3  # in a row, after which a tracker is left alone until the end
FILES = ("*.csv", "*.png", "*.log", RUN)  # of a run folder


class Tracker(Callback):
    """A tracker; whatever it raises is told once, and the search goes on without it.

    A search that goes on in its folder tells everything from its beginning again (`Callback.on_evaluation`): a tracker
    continues the run that it has of this folder, and tells nothing twice.
    """

    def __init__(self) -> None:
        self._begun = False
        self._failures = 0

    @abstractmethod
    def begin(self, progress: Progress) -> None:
        """Open a run, or the earlier one of this folder, and tell its parameters."""

    @abstractmethod
    def numbers(self, progress: Progress, step: int, values: Mapping[str, float]) -> None:
        """Tell numbers of a step, which is an evaluation's index."""

    @abstractmethod
    def end(self, progress: Progress) -> None:
        """Tell the front, pictures and files, and close the run."""

    def on_evaluation(self, progress: Progress, evaluation: Evaluation) -> None:
        """Tell objectives, further columns and the hypervolume."""
        self._safely(progress, lambda: self.numbers(progress, evaluation.index, measured(progress, evaluation)))

    def on_iteration(self, progress: Progress) -> None:
        """Tell the errors of predictors."""
        step = len(progress.evaluations)
        values = {
            f"{name}/{one.objective}": value
            for one in progress.last_qualities
            for name, value in (("mape", one.mape), ("kendall_tau", one.kendall_tau))
        }
        if values and progress.qualities[-1][0] == progress.iteration:
            self._safely(progress, lambda: self.numbers(progress, step, values))

    def on_end(self, progress: Progress) -> None:
        """Tell the outcome."""
        self._failures = 0  # it may be back by now
        self._safely(progress, lambda: self.end(progress))

    def _safely(self, progress: Progress, tell: Callable[[], None]) -> None:
        if self._failures >= MOST_FAILURES:
            return
        try:
            if not self._begun:
                self.begin(progress)
                self._begun = True
            tell()
            self._failures = 0
        except Exception as error:  # a server that is down, a full disk, whatever a package raises
            self._failures += 1
            log.warning("%s failed: %s", type(self).__name__, reason(error))
            if self._failures == 1:
                told = f"{type(self).__name__} failed ({reason(error)}): the search goes on without it"
                warnings.warn(told, DynasWarning, stacklevel=2)


def parameters(progress: Progress) -> dict[str, str]:
    """Return what a search was started with as flat texts: options of groups, and settings with dotted keys."""
    facts = progress.facts
    found = {key: str(value) for key, value in (facts.get("choices") or {}).items()}
    config = {key: value for key, value in (facts.get("config") or {}).items() if key != "track"}  # may hold an address
    found |= dict(_flat("", config))
    return found | {"seed": str(facts.get("seed", "")), "budget": str(progress.budget)}


def measured(progress: Progress, evaluation: Evaluation) -> dict[str, float]:
    """Return what an evaluation gave, by name; what failed has no numbers but its seconds."""
    measurement = evaluation.measurement
    names = [objective.name for objective in progress.problem.objectives]
    values: dict[str, object] = dict(zip(names, measurement.values, strict=True)) | dict(measurement.extras)
    values |= {"hypervolume": progress.hypervolume, "front": len(progress.front), "seconds": measurement.seconds}
    return {name: float(one) for name, one in values.items() if isinstance(one, int | float) and math.isfinite(one)}


def front_table(progress: Progress) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of the front: those of front.csv where there is one, else of what was told.

    Without a folder there is nothing but indices, objectives and architectures.
    """
    if progress.folder is not None and (progress.folder / FRONT).is_file():
        with (progress.folder / FRONT).open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        return header, rows
    problem = progress.problem
    losses = {tuple(row) for row in progress.front.tolist()}
    rows = [
        [str(one.index), *map(str, one.measurement.values), json.dumps(problem.space.decode(one.genotype), default=str)]
        for one in progress.evaluations
        if tuple(o.sign * v for o, v in zip(problem.objectives, one.measurement.values, strict=True)) in losses
    ]
    return ["index", *(objective.column for objective in problem.objectives), "architecture"], rows


def files(progress: Progress) -> list[Path]:
    """Return tables, pictures, facts and logs of the run folder; links, which could lead anywhere, are left out."""
    folder = progress.folder
    found = [path for pattern in FILES for path in sorted(folder.glob(pattern))] if folder is not None else []
    return [path for path in found if path.is_file() and not path.is_symlink()]


def folder_id(folder: Path) -> str:
    """Return what tells a run folder from others, in letters that every tracker takes."""
    return hashlib.sha256(str(folder.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), inner)
    else:
        yield prefix, str(value)


def whole(value: Any) -> str:
    """Return a text of a run as one cell of a Markdown table."""
    return str(value).replace("|", "\\|").replace("\n", " ")
