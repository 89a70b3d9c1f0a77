"""The steps of a compression in their order; each leaves its result in the folder and is passed over from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import nn

from dynas.compressing.candidates import Candidate, choose, read_candidates, write_candidates
from dynas.compressing.comparing import Compared, compare, costs_of
from dynas.compressing.deployment import check_formats, deploy
from dynas.compressing.job import Job
from dynas.compressing.sensitivity import write_sensitivity
from dynas.compressing.stages import SEARCH, Measure, search, sensitivity
from dynas.compressing.tuning import Say, tune
from dynas.core.activity import doing
from dynas.core.space import Architecture
from dynas.errors import DynasError, one_of
from dynas.runs.load import Run, load_run
from dynas.runs.names import RUN
from dynas.runs.origin import check_same_origin, origin_facts
from dynas.runs.record import read_run
from dynas.system.files import from_json
from dynas.system.machine import machine_facts, package_versions


@dataclass(frozen=True, eq=False)
class Compressed:
    """The best network of one limit.

    Attributes:
        limit: as it was given.
        candidate: which sub-network it is.
        measured: how good it is and what it costs.
        kept: whether what it costs is within the limit.
        network: the module.
        files: what can be deployed.
    """

    limit: str
    candidate: Candidate
    measured: Compared
    kept: bool
    network: nn.Module
    files: list[Path]

    def module(self) -> nn.Module:
        """Return the network as it was measured, in eval mode."""
        return self.network


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a compression gave.

    Attributes:
        original: how good the original is and what it costs.
        compressed: a network per limit, the loosest limit first.
        compared: all candidates after tuning.
        candidates: who they are.
        folder: where everything lies.
    """

    original: Compared
    compressed: list[Compressed]
    compared: list[Compared]
    candidates: list[Candidate]
    folder: Path

    def best(self, limit: str | None = None) -> Compressed:
        """Return the network of a limit, as it was given, by default of the tightest.

        Raises:
            DynasError: there is no such limit.
        """
        found = {one.limit: one for one in self.compressed}
        if limit is not None and limit not in found:
            raise one_of("limit", limit, found)
        return self.compressed[-1] if limit is None else found[limit]


def compress(job: Job, measure: Measure, say: Say) -> Outcome:
    """Do all steps that are not done and return what came out.

    Args:
        job: what is to be done.
        measure: measures into a run folder.
        say: tells a sentence.

    Raises:
        DynasError: nothing keeps to a limit, a step fails, or the folder was begun with other weights or data.
    """
    check_formats(job)
    if (job.folder / RUN).exists():
        now = origin_facts(job.measurer) | {"machine": machine_facts(), "versions": package_versions()}
        check_same_origin(job.folder, read_run(job.folder), now)
    candidates = read_candidates(job.folder)
    if candidates is None:
        plain = sensitivity(job, measure)
        first = load_run(job.folder)
        with doing("writing the sensitivity"):
            tell_sensitivity(job, first)
        search(job, first, plain, measure)
        values = dict(zip([one.name for one in first.objectives], map(float, first.values[0]), strict=True))
        found, finalists = load_run(job.folder / SEARCH), job.config.finalists
        again = partial(costs_again, job)
        candidates = choose(found, values, job.supernet.space, job.limits, plain, finalists, again)
        write_candidates(job.folder, candidates)
    tuned = tune(candidates, job.tuner, job.clock, job.folder, say)
    assert job.supernet.original is not None
    original, *compared = compare(job.final, job.supernet.original, candidates, tuned, job.folder)
    compressed = []
    for limit in job.limits:
        own = [place for place, one in enumerate(candidates) if one.limit == limit.text]
        inside = [place for place in own if limit.within(compared[place].costs, original.costs)]
        best = max(inside or own, key=lambda place: compared[place].quality)
        with doing("writing files"):
            files = deploy(job, candidates[best], tuned[best], compared[best], original, say)
        compressed.append(Compressed(limit.text, candidates[best], compared[best], bool(inside), tuned[best], files))
    return Outcome(original, compressed, compared, candidates, job.folder)


def costs_again(job: Job, architectures: Sequence[Architecture]) -> list[dict[str, float]]:
    """Return what the original and sub-networks as they are cut cost of what is limited, timed in turns."""
    assert job.supernet.original is not None
    everyone, bench = [job.supernet.original, *architectures], job.measurer.bench
    with doing("measuring once more what looks best"):
        modules = [bench.meter.deploy(job.supernet.subnet(one), bench) for one in everyone]
        return costs_of(job.measurer.only(job.limits[0].most), modules, everyone)


def tell_sensitivity(job: Job, run: Run) -> None:
    """Write what each change did by itself; raise DynasError where the original could not be measured."""
    if not run.measured[0]:
        error = run.rows[0][run.header.index("error")]
        raise DynasError(f"the original network cannot be measured: {error}")
    space = job.supernet.space
    rows = {
        space.encode(from_json(run.architectures[row])).tobytes(): run.values[row].tolist()
        for row in range(len(run)) if run.measured[row]
    }  # fmt: skip
    write_sensitivity(job.folder, space, job.names(), run.objectives, rows)
