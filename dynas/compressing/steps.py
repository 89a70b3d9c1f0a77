"""The steps of a compression in their order; each leaves its result in the folder and is passed over from then on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from dynas.compressing.candidates import Candidate, choose, read_candidates, write_candidates
from dynas.compressing.comparing import Compared, compare
from dynas.compressing.deployment import deploy
from dynas.compressing.job import Job
from dynas.compressing.mode import Compressing
from dynas.compressing.sensitivity import write_sensitivity
from dynas.compressing.tuning import Say, tune
from dynas.core.activity import doing
from dynas.errors import DynasError
from dynas.runs.load import Run, load_run
from dynas.system.files import from_json

Search = Callable[[Job], Compressing]  # measures into the folder; raises KeyboardInterrupt where Ctrl-C came


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


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a compression gave.

    Attributes:
        original: how good the original is and what it costs.
        compressed: a network per limit, the loosest limit first.
        compared: all candidates after tuning.
        candidates: who they are.
    """

    original: Compared
    compressed: list[Compressed]
    compared: list[Compared]
    candidates: list[Candidate]


def compress(job: Job, search: Search, say: Say) -> Outcome:
    """Do all steps that are not done and return what came out.

    Args:
        job: what is to be done.
        search: measures the original, each change, what plain rules choose, and what the search asks for.
        say: tells a sentence.
    """
    candidates = read_candidates(job.folder)
    if candidates is None:
        mode = search(job)
        run = load_run(job.folder)
        with doing("writing the sensitivity"):
            tell_sensitivity(job, run)
        candidates = choose(run, job.problem, job.limits, mode.plain, job.config.finalists)
        write_candidates(job.folder, candidates)
    tuned = tune(candidates, job.tuner, job.clock, job.folder, say)
    original = job.supernet.original
    assert original is not None
    first, *rest = compare(job.final, original, candidates, tuned, job.folder)
    compressed = []
    for limit in job.limits:
        own = [place for place, one in enumerate(candidates) if one.limit == limit.text]
        inside = [place for place in own if limit.within(rest[place].costs, first.costs)]
        best = max(inside or own, key=lambda place: rest[place].quality)
        with doing("writing files"):
            files = deploy(job, candidates[best], tuned[best], rest[best], first)
        compressed.append(Compressed(limit.text, candidates[best], rest[best], bool(inside), tuned[best], files))
    return Outcome(first, compressed, rest, candidates)


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
