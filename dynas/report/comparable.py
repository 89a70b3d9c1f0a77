"""Which runs may be compared: those whose values mean the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynas.core.objectives import Objective
from dynas.errors import DynasError
from dynas.report.groups import flat_settings
from dynas.runs.load import Run

TIME_UNITS = ("s", "ms", "us", "µs", "ns")


def check_comparable(runs: Sequence[Run], option: str = "") -> None:
    """Raise DynasError where values do not mean the same in all runs: what differs, in how many, what to type.

    Args:
        runs: the runs.
        option: what comes before a setting such as ``hardware=cpu`` to choose runs by it; empty: nothing does.
    """
    _refuse_where(
        runs, "objectives", [", ".join(map(_meaning, run.objectives)) for run in runs], _objectives_hint(runs)
    )
    facts = [circumstances(run) for run in runs]
    for what in dict.fromkeys(name for one in facts for name in one):
        section = what.split(".")[0]
        hint = "their values cannot be compared"
        if option and section in runs[0].choices:
            hint += f"; choose by {option} {what}=..."
        _refuse_where(runs, what, [str(one.get(what)) for one in facts], hint)


def circumstances(run: Run) -> dict[str, str]:
    """Return what a run's measured values depend on beside the sub-network: data, and hardware for a latency."""
    sections: list[str] = []
    facts: dict[str, str] = {}
    if any(not objective.exact for objective in run.objectives):
        sections.append("data")
    if any(_is_latency(objective) for objective in run.objectives):
        sections += ["supernet", "hardware"]
    if any(_is_latency(objective) and not objective.exact for objective in run.objectives):
        machine = run.facts.get("machine")
        facts["machine"] = str(machine.get("cpu")) if isinstance(machine, Mapping) else "None"
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


def _is_latency(objective: Objective) -> bool:
    return "latency" in objective.name or objective.unit.split(",")[0] in TIME_UNITS
