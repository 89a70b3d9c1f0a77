"""Who is fine-tuned: for each limit what the search found best, and what the plain rules chose."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.compressing.limits import Limit
from dynas.core.space import Architecture, Genotypes, SearchSpace
from dynas.errors import DynasError
from dynas.runs.load import Run
from dynas.system.files import from_json, write_atomic

FILE = "candidates.json"
SEARCH = "search"  # the rule of those that the search found
SHORTLIST = 5  # of the search, for each limit, that are measured once more
# by limit and rule, the genotypes that a plain rule chose, the loosest first
Plain = Mapping[tuple[str, str], Genotypes]
Ranked = Sequence[NDArray[np.int64]]
# what the original and these cost, in turns
Confirm = Callable[[Sequence[Architecture]], Sequence[Mapping[str, float]]]


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
    run: Run,
    original: Mapping[str, float],
    space: SearchSpace,
    limits: Sequence[Limit],
    plain: Plain,
    finalists: int,
    confirm: Confirm,
) -> list[Candidate]:
    """Return the candidates of all limits, each sub-network once for a limit.

    What looks best within a limit is often what was measured too low. Before it is tuned, it is measured once more
    beside the original, and what is then beyond the limit gives way to the next.

    Args:
        run: the search; its first objective judges.
        original: values of the original by objective, which limits may be shares of.
        space: what was searched.
        limits: the loosest first.
        plain: what plain rules chose.
        finalists: how many of the search are tuned for each limit.
        confirm: measures costs once more.

    Raises:
        DynasError: nothing within a limit is known.
    """
    names = [one.name for one in run.objectives]
    values = [dict(zip(names, map(float, row), strict=True)) for row in run.values]
    found = []
    for number, limit in enumerate(limits, start=1):
        inside = [row for row in np.flatnonzero(run.measured) if limit.within(values[row], original)]
        best = sorted(inside, key=lambda row: run.losses[row, 0])[:SHORTLIST]
        ranked = {SEARCH: [space.encode(from_json(run.architectures[row])) for row in best]}
        ranked |= {rule: list(rows) for (text, rule), rows in plain.items() if text == limit.text}
        chosen = confirmed(space, limit, ranked, finalists, confirm)
        if not chosen:
            raise DynasError(
                f"limit={limit.text}: nothing within it was measured; give more max_minutes or a larger budget"
            )
        for place, (key, (genotype, rules)) in enumerate(chosen.items(), start=1):
            known = values[run.keys.index(key)] if key in run.keys else {}
            architecture = space.decode(genotype)
            found.append(Candidate(f"limit{number}_{place}", limit.text, tuple(rules), architecture, known))
    return found


def confirmed(
    space: SearchSpace, limit: Limit, ranked: Mapping[str, Ranked], finalists: int, confirm: Confirm
) -> dict[str, tuple[NDArray[np.int64], list[str]]]:
    """Return by key the genotypes that are tuned, and who chose them.

    Args:
        space: of the genotypes.
        limit: what they keep to.
        ranked: by who chose them, genotypes, the first choice first.
        finalists: how many of the search are taken; of others it is one.
        confirm: measures costs once more; where nothing of a rule is within the limit then, the nearest is taken.
    """
    genotypes = {space.key(row): row for rows in ranked.values() for row in rows}
    if not genotypes:
        return {}
    original, *costs = confirm([space.decode(row) for row in genotypes.values()])
    by_key = dict(zip(genotypes, costs, strict=True))
    chosen: dict[str, tuple[NDArray[np.int64], list[str]]] = {}
    for rule, rows in ranked.items():
        keys = [space.key(row) for row in rows]
        inside = [key for key in keys if limit.within(by_key[key], original)]
        nearest = sorted(keys, key=lambda key: limit.excess(by_key[key], original))
        for key in (inside or nearest[:1])[: finalists if rule == SEARCH else 1]:
            chosen.setdefault(key, (genotypes[key], []))[1].append(rule)
    return chosen


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
