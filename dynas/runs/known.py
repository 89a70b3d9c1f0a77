"""Qualities that earlier runs have measured: taken over where everything that they depend on is the same.

Runs that are named answer and teach: predictors learn from all of their sub-networks from the first round on. The cache
(`dynas.runs.quality_cache`) only answers, so that what it happens to hold changes nothing but time.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynas.core.evaluation import Evaluation, Measurement
from dynas.core.known import Examples, Readings, source_column
from dynas.core.metric import MeasuredMetric, Reading
from dynas.core.objectives import Objective
from dynas.core.problem import Problem
from dynas.core.space import SearchSpace
from dynas.errors import DynasError
from dynas.runs.evaluations import read_evaluations
from dynas.runs.identity import Identity, difference, digest, identity
from dynas.runs.load import Run, find_runs, load_run
from dynas.runs.quality_cache import QualityCache
from dynas.runs.record import read_run

if TYPE_CHECKING:
    from dynas.metrics.measurer import Measurer

CACHE = "cache"  # the source of a value that no named run has
Row = tuple[NDArray[np.int64], Reading]  # a canonical genotype (G,), and what was measured of it


@dataclass(frozen=True)
class Quality:
    """An objective whose values are the same on every device.

    Attributes:
        objective: the objective.
        column: its place among the values of an evaluation.
        extras: further columns of its metric.
        identity: what its values depend on.
        cache: where they are kept.
    """

    objective: Objective
    column: int
    extras: Sequence[str]
    identity: Identity
    cache: QualityCache

    def keep(self, evaluation: Evaluation) -> None:
        """Keep what was measured of a sub-network; what was taken over may be somebody else's word."""
        reading = self.reading(evaluation.measurement, self.column)
        if math.isfinite(reading.value) and source_column(self.objective.name) not in evaluation.measurement.extras:
            self.cache.keep(evaluation.key, reading)

    def reading(self, measurement: Measurement, column: int) -> Reading:
        """Return what a measurement says of this objective, whose place among its values is ``column``."""
        own = {name: measurement.extras[name] for name in self.extras if name in measurement.extras}
        return Reading(measurement.values[column], own)


@dataclass(frozen=True)
class Known:
    """What is known before a run begins.

    Attributes:
        readings: what is taken over; there is an entry for every quality, so that every one has its column.
        examples: what predictors learn from.
        sha256: of these examples; None without any.
        qualities: what is kept of the run for later ones.
    """

    readings: Readings = field(default_factory=dict)
    examples: Examples = field(default_factory=dict)
    sha256: str | None = None
    qualities: Sequence[Quality] = ()

    def sentence(self) -> str:
        """Return what predictors learn from in words; nothing where no run was named."""
        counts = [f"{name} of {len(values)} sub-networks" for name, (_, values) in self.examples.items()]
        return f"known from earlier runs: {', '.join(counts)}" if counts else ""

    def keep(self, evaluation: Evaluation) -> None:
        """Keep what was measured of a sub-network for later runs."""
        for quality in self.qualities:
            quality.keep(evaluation)


def known_before(
    given: str | Sequence[str] | None, folder: Path, facts: Mapping[str, Any], problem: Problem, measurer: Measurer
) -> Known:
    """Return what is known before a run begins.

    Args:
        given: run folders, or patterns of such; an empty list: the cache alone; None: nothing is.
        folder: the run's own folder, which tells nothing.
        facts: what its run.json says.
        problem, measurer: what is searched, and what measures it.

    Raises:
        DynasError: runs are named of which nothing can be taken over, or that are damaged.
    """
    if given is None:
        return Known()
    if not isinstance(given, str) and not (isinstance(given, list) and all(isinstance(one, str) for one in given)):
        raise DynasError(
            f"known={given}: give a run folder, a list of them, [] for the cache alone, or null for nothing"
        )
    qualities = portable(facts, problem, measurer)
    readings = {one.objective.name: sourced(one, one.cache.readings, CACHE) for one in qualities}
    paths = [Path(one) for one in ([given] if isinstance(given, str) else given)]
    found = read_runs(paths, folder, qualities, problem.space) if paths else {}
    for name, rows in found.items():
        readings[name] |= {key: reading for key, (_, reading) in rows.items()}
    return Known(readings, examples_of(found), sha256_of(found), qualities)


def portable(facts: Mapping[str, Any], problem: Problem, measurer: Measurer) -> list[Quality]:
    """Return the objectives whose values are the same on every device, where a run tells what they depend on."""
    qualities = []
    for column, objective in enumerate(problem.objectives):
        metric = measurer.metrics[objective.name]
        if isinstance(metric, MeasuredMetric) and metric.portable and (own := identity(facts, objective.name)):
            qualities.append(Quality(objective, column, metric.extras, own, QualityCache(digest(own))))
    return qualities


def sourced(quality: Quality, readings: Mapping[str, Reading], source: str) -> dict[str, Reading]:
    """Return readings that say where they are from."""
    column = source_column(quality.objective.name)
    return {key: replace(one, extras={**one.extras, column: source}) for key, one in readings.items()}


def read_runs(
    paths: Sequence[Path], folder: Path, qualities: Sequence[Quality], space: SearchSpace
) -> dict[str, dict[str, Row]]:
    """Return what runs have measured of each quality, by the sub-networks' keys; of several values the first.

    Raises:
        DynasError: there is no run, nothing of any can be taken over, or one is damaged.
    """
    found: dict[str, dict[str, Row]] = {}
    refused: list[str] = []
    for place in find_runs(paths):
        if place.resolve() == folder.resolve():
            continue
        facts = read_run(place)
        for one in qualities:
            name = one.objective.name
            if why := difference(identity(facts, name), one.identity):
                refused.append(f"{name} in '{place}' {why}")
                continue
            run = load_run(place)
            if one.objective.column not in [objective.column for objective in run.objectives]:
                refused.append(f"{name} in '{place}' was not measured")
                continue
            found[name] = rows_of(run, one, space) | found.get(name, {})
    if not found:
        why = refused[0] if refused else "no objective is the same on every device"
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise DynasError(
            f"nothing of known={','.join(map(str, paths))} can be taken over: {why}{more}; give runs whose supernet, "
            "data and precision are those of this search, or leave out known"
        )
    return found


def rows_of(run: Run, quality: Quality, space: SearchSpace) -> dict[str, Row]:
    """Return what a run has measured of a quality, by the sub-networks' keys; raise DynasError where it is damaged."""
    column = [objective.column for objective in run.objectives].index(quality.objective.column)
    measured = [one for one in read_evaluations(run, space) if math.isfinite(one.measurement.values[column])]
    genotypes = np.array([one.genotype for one in measured], dtype=np.int64).reshape(-1, space.n_genes)
    readings = {
        key: quality.reading(one.measurement, column)
        for key, one in zip(space.keys(genotypes), measured, strict=True)  # a key in the file is but a word
    }
    rows = zip(genotypes, sourced(quality, readings, str(run.folder)).values(), strict=True)
    return dict(zip(readings, rows, strict=True))


def examples_of(found: Mapping[str, Mapping[str, Row]]) -> Examples:
    """Return what predictors learn from what runs have measured."""
    return {
        name: (np.array([genotype for genotype, _ in rows.values()]), np.array([one.value for _, one in rows.values()]))
        for name, rows in found.items()
        if rows
    }


def sha256_of(found: Mapping[str, Mapping[str, Row]]) -> str | None:
    """Return the SHA-256 of what predictors learn from; None where that is nothing."""
    values = {name: [[key, one.value] for key, (_, one) in rows.items()] for name, rows in found.items()}
    return hashlib.sha256(json.dumps(values).encode()).hexdigest() if values else None
