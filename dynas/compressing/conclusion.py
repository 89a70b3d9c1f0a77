"""What a compression says at its end: the original and what came of it, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dynas.compressing.comparing import Compared
from dynas.compressing.job import Job
from dynas.compressing.steps import Outcome
from dynas.export.quality import ERRORS, LEAST
from dynas.export.write import RECORD, read_int8
from dynas.report.fitted import Column, FittedTable
from dynas.report.text import aligned, readable

TOP1, AGREEMENT = "top-1", "agreement"  # what quality is, with labels and without
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def tuned_table(outcome: Outcome, quality: str) -> FittedTable:
    """Return all candidates after tuning: who chose them, how good they are by their quality, and what they cost."""
    rows, names = outcome.compared, list(outcome.original.costs)
    best = {one.candidate.name for one in outcome.compressed}
    columns = [
        Column("limit", [one.limit for one in outcome.candidates]),
        Column("chosen by", [", ".join(one.rules) for one in outcome.candidates], folds=True),
        Column("", ["kept" if one.name in best else "" for one in outcome.candidates]),
        Column(f"{quality} [%]", [with_error(one) for one in rows]),
    ]
    columns += [
        Column(name, [f"{one.costs[name] / outcome.original.costs[name]:.2f}x" for one in rows]) for name in names
    ]
    return FittedTable("after tuning", columns, 2)


def final_table(outcome: Outcome, quality: str, units: dict[str, str]) -> FittedTable:
    """Return the original and the network of each limit as columns; top-1 and agreement where the quality is top-1."""
    networks = [outcome.original, *(one.measured for one in outcome.compressed)]
    known = quality == TOP1
    names = [
        f"{quality} [%]",
        *(["points lost", f"{AGREEMENT} [%]"] if known else []),
        *(f"{name} [{units[name]}]" for name in outcome.original.costs),
    ]
    columns = [Column("", names)]
    costs = {name: cells([one.costs[name] for one in networks]) for name in outcome.original.costs}
    for place, one in enumerate(networks):
        title = "original" if place == 0 else outcome.compressed[place - 1].limit
        lost = "" if place == 0 else f"{one.lost:.1f} ± {one.lost_error:.1f}"
        followed = [lost, f"{one.agreement:.1f}"] if known else []
        own = [with_error(one), *followed, *(costs[name][place] for name in costs)]
        columns.append(Column(title, own))
    return FittedTable("original and result", columns)


def with_error(one: Compared) -> str:
    """Return quality with its standard error."""
    return f"{one.quality:.1f} ± {one.error:.1f}"


def cells(values: Sequence[float]) -> list[str]:
    """Return costs, behind the first one also as shares of it."""
    divided, prefix = next(((each, text) for each, text in PREFIXES if values[0] >= 10 * each), (1.0, ""))
    first, *rest = (f"{text} {prefix}".rstrip() for text in aligned([value / divided for value in values]))
    return [first, *(f"{text} ({value / values[0]:.2f}x)" for text, value in zip(rest, values[1:], strict=True))]


def sentences(job: Job, outcome: Outcome) -> Iterator[str]:
    """Yield what is to be said below the tables."""
    for limit, one in zip(job.limits, outcome.compressed, strict=True):
        if not one.kept:
            bounds = limit.bounds(outcome.original.costs)
            beyond = " and ".join(
                f"{name} {readable(one.measured.costs[name])} instead of {readable(most)}"
                for name, most in bounds.items()
                if one.measured.costs[name] > most
            )
            yield f"{limit.text}: none kept to it when measured once more beside the original: {beyond}"
    for one in outcome.compressed:
        for path in one.files:
            for name, quality in read_int8(path).items() if path.name == RECORD else ():
                fails = (
                    ""
                    if quality.kept
                    else f", more than {ERRORS} standard errors and than {LEAST:.0%} of it: do not use it"
                )
                yield f"{name}, {one.limit}: {quality.text}{fails}"
