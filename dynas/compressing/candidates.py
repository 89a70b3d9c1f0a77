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
from dynas.core.space import Architecture, SearchSpace
from dynas.errors import DynasError
from dynas.runs.load import Run
from dynas.system.files import from_json, write_atomic

FILE = "candidates.json"
SEARCH = "search"  # the rule of those that the search found
Plain = Mapping[tuple[str, str], NDArray[np.int64]]  # by limit and rule, the genotype that a plain rule chose


@dataclass(frozen=True)
class Candidate:
    """A sub-network that is fine-tuned.

    Attributes:
        name: of its files.
        limit: the limit that it keeps to, as it was given.
        rules: who chose it.
        architecture: which one it is.
        values: by objective, what the search measured.
    """

    name: str
    limit: str
    rules: tuple[str, ...]
    architecture: Architecture
    values: Mapping[str, float]


def choose(
    run: Run, original: Mapping[str, float], space: SearchSpace, limits: Sequence[Limit], plain: Plain, finalists: int
) -> list[Candidate]:
    """Return the candidates of all limits, each sub-network once for a limit.

    Args:
        run: the search; its first objective judges.
        original: values of the original by objective, which limits may be shares of.
        space: what was searched.
        limits: the loosest first.
        plain: what plain rules chose.
        finalists: how many of the search are tuned for each limit.

    Raises:
        DynasError: nothing within a limit is known.
    """
    names = [one.name for one in run.objectives]
    values = [dict(zip(names, map(float, row), strict=True)) for row in run.values]
    found = []
    for number, limit in enumerate(limits, start=1):
        inside = [row for row in np.flatnonzero(run.measured) if limit.within(values[row], original)]
        best = sorted(inside, key=lambda row: run.losses[row, 0])[:finalists]
        rules: dict[str, list[str]] = {run.keys[row]: [SEARCH] for row in best}
        genotypes = {run.keys[row]: space.encode(from_json(run.architectures[row])) for row in best}
        for (text, rule), genotype in plain.items():
            if text == limit.text:
                rules.setdefault(space.key(genotype), []).append(rule)
                genotypes[space.key(genotype)] = genotype
        if not rules:
            raise DynasError(
                f"limit={limit.text}: nothing within it was measured; give more max_minutes or a larger budget"
            )
        for place, (key, who) in enumerate(rules.items(), start=1):
            known = values[run.keys.index(key)] if key in run.keys else {}
            found.append(
                Candidate(f"limit{number}_{place}", limit.text, tuple(who), space.decode(genotypes[key]), known)
            )
    return found


def write_candidates(folder: Path, candidates: Sequence[Candidate]) -> None:
    """Write candidates.json."""
    write_atomic(folder / FILE, json.dumps([asdict(one) for one in candidates], indent=2) + "\n")


def read_candidates(folder: Path) -> list[Candidate] | None:
    """Return what candidates.json holds, None where there is none; raise DynasError for one that is damaged."""
    try:
        entries: list[Mapping[str, Any]] = from_json((folder / FILE).read_text(encoding="utf-8"))
        return [
            Candidate(
                str(one["name"]), str(one["limit"]), tuple(one["rules"]), dict(one["architecture"]), dict(one["values"])
            )
            for one in entries
        ]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DynasError(f"'{folder / FILE}' is damaged ({error}): remove it, so that it is made again") from error
