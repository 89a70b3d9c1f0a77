"""What a user asks a report for: some of the objectives, and a reference point."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from dynas.core.objectives import Objective
from dynas.errors import DynasError, did_you_mean, one_of
from dynas.runs.load import Run


def with_objectives(runs: Sequence[Run], names: Sequence[str] | None) -> list[Run]:
    """Return the runs as if they had only some objectives, in one order; bounds of the others no longer count.

    Args:
        runs: the runs.
        names: the objectives to keep; None keeps all, those that runs share in the order of the first run.

    Raises:
        DynasError: a run does not have one of them, or one comes twice.
    """
    if names is not None and len(set(names)) < len(names):
        raise DynasError(f"--objectives {','.join(names)}: name each objective once")
    ordered = list(names) if names is not None else [objective.name for objective in runs[0].objectives]
    chosen = []
    for run in runs:
        own = [objective.name for objective in run.objectives]
        if names is None and sorted(own) != sorted(ordered):
            chosen.append(run)  # another set of objectives, which the comparison refuses
            continue
        for name in ordered:
            if name not in own:
                raise DynasError(
                    f"'{run.folder}' did not measure '{name}': its objectives are {', '.join(own)}"
                    f"{did_you_mean(name, own)}"
                )
        columns = [own.index(name) for name in ordered]
        kept = tuple(run.objectives[column] for column in columns)
        chosen.append(run if kept == run.objectives else _with_columns(run, columns))
    return chosen


def _with_columns(run: Run, columns: Sequence[int]) -> Run:
    """Return a run with only these columns of its values, in this order."""
    return dataclasses.replace(
        run,
        objectives=tuple(run.objectives[column] for column in columns),
        values=run.values[:, columns],
        confirmed=tuple(place for place, column in enumerate(columns) if column in run.confirmed),
        unconfirmed=None if run.unconfirmed is None else _with_columns(run.unconfirmed, columns),
    )


def parse_reference(text: str, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """Return the reference point of a text such as ``top1=70,latency=30``, in the order of ``objectives``.

    Raises:
        DynasError: an objective is missing or unknown, or a value is no number.
    """
    names = [objective.name for objective in objectives]
    example = ",".join(f"{name}=..." for name in names)
    values: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        if name.strip() not in names:
            raise one_of("objective", name.strip(), names)
        try:
            values[name.strip()] = float(number)
        except ValueError as error:
            raise DynasError(f"--reference {text}: '{number}' is no number; give {example}") from error
    if missing := [name for name in names if name not in values]:
        raise DynasError(f"--reference {text} lacks {', '.join(missing)}: give {example}")
    return tuple(values[name] for name in names)
