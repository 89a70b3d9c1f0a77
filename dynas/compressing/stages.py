"""The two runs of a compression: what each change does, and the search; each in a run folder of its own."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from dynas.compressing.allocation import around, evenly, halvings
from dynas.compressing.candidates import Plain
from dynas.compressing.job import Job
from dynas.compressing.mode import TIGHTER, Sensitivity
from dynas.compressing.sensitivity import changes
from dynas.core.bench import Bench
from dynas.core.mode import SearchMode
from dynas.core.problem import Problem
from dynas.core.reach import check_bounds
from dynas.core.space import Genotypes
from dynas.errors import DynasError
from dynas.metrics.measurer import Measurer
from dynas.runs.load import Run
from dynas.supernets.pruning.space import SHARES
from dynas.system.files import from_json, write_atomic
from dynas.training.tuning import Tuner

ALLOCATED = "allocated.json"
SEARCH = "search"  # the folder of the search
NEARBY = 0.3  # of the search's evaluations that go to plain choices and their neighbours


@dataclass(frozen=True, eq=False)
class Stage:
    """One run.

    Attributes:
        folder: of the run.
        problem: what is searched.
        measurer: measures it.
        mode: how; None: the one that the config names.
        budget: the most sub-networks that are measured.
        minutes: wall time after which it ends; None: any.
        start: what is measured first ``(n, G)``.
    """

    folder: Path
    problem: Problem
    measurer: Measurer
    mode: SearchMode | None
    budget: int
    minutes: float | None = None
    start: Genotypes | None = None


Measure = Callable[[Stage], None]  # fills a run folder; raises KeyboardInterrupt where Ctrl-C came


def sensitivity(job: Job, measure: Measure) -> Plain:
    """Measure what each change does and return what plain rules choose; read it where that was done before."""
    known = read_allocated(job)
    if known is not None:
        return known
    check_limits(job)
    made = len(changes(job.supernet.space))
    rules = halvings(made + 1) + halvings(len(evenly(job.supernet.space, SHARES)))
    mode = Sensitivity(job.limits, SHARES, job.clock)
    problem = replace(job.problem, bands={})
    measure(Stage(job.folder, problem, job.measurer, mode, 1 + made + len(job.limits) * (rules + 2 * (1 + TIGHTER))))
    space = job.supernet.space
    entries = [
        {"limit": limit, "rule": rule, "architecture": space.decode(row)}
        for (limit, rule), rows in mode.plain.items()
        for row in rows
    ]
    write_atomic(job.folder / ALLOCATED, json.dumps(entries, indent=2) + "\n")
    return mode.plain


def check_limits(job: Job) -> None:
    """Raise DynasError where no sub-network keeps to a limit on what is counted, before anything is measured."""
    problem = job.problem
    assert problem.original is not None
    counted = {name: float(count(problem.original[None])[0]) for name, count in problem.exact.items()}
    for limit in job.limits:
        bounds = limit.bounds({**dict.fromkeys(limit.most, math.inf), **counted})
        bound = {name: most for name, most in bounds.items() if name in counted}
        check_bounds(
            replace(problem, objectives=tuple(replace(one, bound=bound.get(one.name)) for one in problem.objectives))
        )


def read_allocated(job: Job) -> Plain | None:
    """Return what plain rules chose, None where nothing is known yet; raise DynasError for a damaged file."""
    path = job.folder / ALLOCATED
    try:
        entries = from_json(path.read_text(encoding="utf-8"))
        found: dict[tuple[str, str], list[NDArray[np.int64]]] = {}
        for one in entries:
            row = job.supernet.space.encode(one["architecture"])
            found.setdefault((one["limit"], one["rule"]), []).append(row)
        return {key: np.stack(rows) for key, rows in found.items()}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, DynasError) as error:
        raise DynasError(f"'{path}' is damaged ({error}): remove it, so that it is made again") from error


def search(job: Job, first: Run, plain: Plain, measure: Measure) -> None:
    """Search from what plain rules chose, in the folder ``search``.

    Args:
        job: what is to be done.
        first: the run of `sensitivity`, whose first row is the original.
        plain: what plain rules chose.
        measure: measures.
    """
    rng, rows = np.random.default_rng(job.config.seed), [row for chosen in plain.values() for row in chosen]
    near = around(job.supernet.space, rows, max(0, int(NEARBY * job.config.budget) - len(rows)), rng) if rows else None
    start = None if near is None else np.concatenate([np.stack(rows), near])
    bounds = [first.objectives[column].bound for column in range(len(first.objectives))]
    objectives = tuple(replace(one, bound=bound) for one, bound in zip(job.problem.objectives, bounds, strict=True))
    problem = replace(job.problem, objectives=objectives, shares={})
    seconds = job.clock.left("search")
    minutes = None if math.isinf(seconds) else max(seconds, 1) / 60
    measurer = trying(job) if job.config.trial else job.measurer
    measure(Stage(job.folder / SEARCH, problem, measurer, None, job.config.budget + 1, minutes, start))


def trying(job: Job) -> Measurer:
    """Return what measures sub-networks after a few steps of fine-tuning."""
    bench = job.measurer.bench
    tuner = replace(job.tuner, steps=job.config.trial)
    return replace(job.measurer, bench=TryingBench(bench.supernet, bench.data, bench.meter, bench.precision, tuner))


@dataclass(frozen=True)
class TryingBench(Bench):
    """A bench whose sub-networks were fine-tuned for a few steps; the original stays as it is.

    Attributes:
        tuner: fine-tunes them.
    """

    tuner: Tuner | None = None

    def deployed(self, genotype: NDArray[np.int64]) -> nn.Module:
        """Return the sub-network of a canonical genotype ``(G,)`` as it runs on the hardware."""
        architecture = self.supernet.space.decode(genotype)
        if self.tuner is None or architecture == self.supernet.original:
            return super().deployed(genotype)
        return self.meter.deploy(self.tuner.tuned(architecture), self)
