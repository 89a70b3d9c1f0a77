"""Which runs may be compared: those whose values mean the same."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dynas.core.objectives import Objective
from dynas.errors import DynasError
from dynas.report.groups import FIRST, chosen_by, flat_settings
from dynas.runs.load import Run

TIME_UNITS = ("s", "ms", "us", "µs", "ns")


def check_comparable(runs: Sequence[Run], option: str = "") -> None:
    """Raise DynasError where values do not mean the same in all runs: what differs, in how many, what to type.

    Args:
        runs: the runs.
        option: what comes before a setting such as ``hardware=cpu`` to choose runs by it; empty: nothing does.
    """
    hint = _example(runs, option) if option else ""
    _refuse_where(runs, "objectives", [_objectives(run) for run in runs], _objectives_hint(runs) + hint)
    facts = [circumstances(run) for run in runs]
    for what in dict.fromkeys(name for one in facts for name in one):
        _refuse_where(runs, what, [str(one.get(what)) for one in facts], f"their values cannot be compared{hint}")


def circumstances(run: Run) -> dict[str, str]:
    """Return what a run's measured values depend on beside the sub-network: data, and hardware for a latency."""
    sections: list[str] = []
    facts: dict[str, str] = {}
    if any(not objective.exact for objective in run.objectives):
        sections.append("data")
    if any(is_timed(objective) for objective in run.objectives):
        sections += ["supernet", "hardware"]
    if any(is_timed(objective) and not objective.exact for objective in run.objectives):
        machine = run.facts.get("machine")
        facts["machine"] = str(machine.get("cpu")) if isinstance(machine, Mapping) else "None"
    if "function" in run.choices:  # of a search that Python code started
        facts["function"] = run.choices["function"]
    config = run.facts.get("config")
    for section in sections:
        facts[section] = run.choices.get(section, "None")
        if section != "supernet" and isinstance(config, Mapping):
            facts |= flat_settings(config.get(section), section)
    supernet = config.get("supernet") if isinstance(config, Mapping) else None
    if "hardware" in sections and isinstance(supernet, Mapping) and supernet.get("latency_batch") is not None:
        facts.setdefault("hardware.batch_size", str(supernet["latency_batch"]))  # where the hardware says none
    return facts


def _refuse_where(runs: Sequence[Run], what: str, values: Sequence[str], hint: str) -> None:
    """Raise DynasError where ``values``, one per run, differ."""
    members: dict[str, list[Run]] = {}
    for run, value in zip(runs, values, strict=True):
        members.setdefault(value, []).append(run)
    if len(members) > 1:
        kinds = [
            f"{value} in '{some[0].folder}'" + (f" and {len(some) - 1} more" if len(some) > 1 else "")
            for value, some in members.items()
        ]
        raise DynasError(f"these runs differ in {what}: {'; '.join(kinds)}: {hint}")


def _objectives_hint(runs: Sequence[Run]) -> str:
    first, *others = ({_meaning(objective): objective.name for objective in run.objectives} for run in runs)
    shared = [name for meaning, name in first.items() if all(meaning in other for other in others)]
    common = f", or compare what all of them have: --objectives {','.join(shared)}" if shared else ""
    return f"name runs with the same objectives{common}"


def _meaning(objective: Objective) -> str:
    return f"{objective.column} ({objective.direction})"


def is_timed(objective: Objective) -> bool:
    """Return whether an objective depends on the hardware: a time, or a throughput."""
    timed = "latency" in objective.name or objective.unit.split(",")[0] in TIME_UNITS
    return timed or objective.name == "throughput"


def timing_text(run: Run) -> str:
    """Return on what a measured latency was taken, such as ``latency: batch of 32, 1 thread``; empty if unknown."""
    return "; ".join(f"{one.name}: {text}" for one in run.objectives if (text := _timing(run, one)))


def described_objectives(run: Run) -> tuple[Objective, ...]:
    """Return a run's objectives for a picture: the unit of a measured latency tells on what it was taken."""
    return tuple(replace(one, unit=", ".join(filter(None, (one.unit, _timing(run, one))))) for one in run.objectives)


def _timing(run: Run, objective: Objective) -> str:
    """Return batch and threads of a measured time; empty where they are unknown or it is none."""
    facts = run.facts.get("hardware")
    measured = not objective.exact and "modelled" not in objective.unit
    if not measured or not is_timed(objective) or not isinstance(facts, Mapping):
        return ""
    batch, threads = facts.get("batch_size"), facts.get("threads")
    parts = [f"batch of {batch}"] if isinstance(batch, int) and objective.name != "throughput" else []
    parts += [f"{threads} thread{'s' * (threads != 1)}"] if isinstance(threads, int) else []
    return ", ".join(parts)


def _example(runs: Sequence[Run], option: str) -> str:
    """Return the settings to type so that the largest number of comparable runs is left, as few as greed finds."""
    described = [chosen_by(run) for run in runs]
    kinds = [(_objectives(run), *circumstances(run).items()) for run in runs]
    ((kind, _),) = Counter(kinds).most_common(1)
    wanted, others = (
        [one for one, of in zip(described, kinds, strict=True) if (of == kind) == same] for same in (True, False)
    )
    shared = [pair for pair in wanted[0].items() if all(pair in one.items() for one in wanted)]
    shared.sort(key=lambda pair: FIRST.index(pair[0]) if pair[0] in FIRST else len(FIRST))
    words = []
    while others:
        pair = max(shared, key=lambda pair: sum(pair not in one.items() for one in others))
        left = [one for one in others if pair in one.items()]
        if len(left) == len(others):
            return "; name fewer run folders"
        others = left
        words += [option, shlex.quote("=".join(pair))]
    return f"; choose some of them, e.g. {' '.join(words)}"


def _objectives(run: Run) -> str:
    return ", ".join(map(_meaning, run.objectives))
