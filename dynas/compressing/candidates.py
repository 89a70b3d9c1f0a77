"""Who is fine-tuned: for each limit what the search found best, and what the plain rules chose."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.compressing.limits import Limit
from dynas.core.objectives import violation
from dynas.core.problem import Problem
from dynas.core.space import Architecture
from dynas.errors import DynasError
from dynas.runs.load import Run
from dynas.system.files import from_json, write_atomic

FILE = "candidates.json"
SEARCH = "search"


@dataclass(frozen=True)
class Candidate:
    """A sub-network that is fine-tuned.

    Attributes:
        name: of its files.
        limit: the limit that it keeps to, as it was given.
        rules: who chose it.
        architecture: which one it is.
        values: by objective, what was measured before fine-tuning.
    """

    name: str
    limit: str
    rules: tuple[str, ...]
    architecture: Architecture
    values: Mapping[str, float]


def choose(
    run: Run, problem: Problem, limits: Sequence[Limit], plain: Mapping[tuple[str, str], NDArray[np.int64]], finalists: int
) -> list[Candidate]:
    """Return the candidates of all limits, each sub-network once for a limit.

    Args:
        run: what was measured.
        problem: what was searched; its first objective is what candidates are judged by.
        limits: the loosest first.
        plain: by limit and rule, what a plain rule chose.
        finalists: how many of the search are tuned for each limit.

    Raises:
        DynasError: nothing within a limit was measured.
    """
    space, names = problem.space, [one.name for one in run.objectives]
    original = dict(zip(names, run.values[0], strict=True))
    found = []
    for number, limit in enumerate(limits, start=1):
        inside = [
            row for row in np.flatnonzero(run.measured)
            if limit.within(dict(zip(names, run.values[row], strict=True)), original)
        ]  # fmt: skip
        if not inside:
            raise DynasError(f"limit={limit.text}: nothing within it was measured; give more max_minutes or a larger budget")
        best = sorted(inside, key=lambda row: run.losses[row, 0])[:finalists]
        rules: dict[str, list[str]] = {run.keys[row]: [SEARCH] for row in best}
        for (text, rule), genotype in plain.items():
            if text == limit.text:
                rules.setdefault(space.key(genotype), []).append(rule)
        for place, (key, who) in enumerate(rules.items(), start=1):
            row = run.keys.index(key)
            architecture = space.decode(space.encode(from_json(run.architectures[row])))
            values = dict(zip(names, map(float, run.values[row]), strict=True))
            found.append(Candidate(f"limit{number}_{place}", limit.text, tuple(who), architecture, values))
    return found


def write_candidates(folder: Path, candidates: Sequence[Candidate]) -> None:
    """Write candidates.json."""
    write_atomic(folder / FILE, json.dumps([asdict(one) for one in candidates], indent=2) + "\n")


def read_candidates(folder: Path) -> list[Candidate] | None:
    """Return what candidates.json holds, None where there is none; raise DynasError for one that is damaged."""
    try:
        entries: list[Mapping[str, Any]] = from_json((folder / FILE).read_text(encoding="utf-8"))
        return [
            Candidate(str(one["name"]), str(one["limit"]), tuple(one["rules"]), dict(one["architecture"]), dict(one["values"]))
            for one in entries
        ]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DynasError(f"'{folder / FILE}' is damaged ({error}): remove it, so that it is made again") from error
