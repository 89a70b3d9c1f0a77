"""Which values of an architecture are no part of its network: their genes are switched off by another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynas.core.space import Architecture, SearchSpace
from dynas.errors import DynasError

ABSENT = "-"  # stands where a value is switched off
Gates = Mapping[str, list[Any]]  # by variable: per gene [variable, index, minimum], None where it is always active


def gates_of(space: SearchSpace) -> Gates:
    """Return the gates of a space as run.json holds them."""
    return {
        variable.name: [gate and [gate.variable, gate.index, gate.minimum] for gate in variable.gates]
        for variable in space.variables
        if any(variable.gates)
    }


def present(architecture: Architecture, gates: Gates) -> Architecture:
    """Return an architecture with `ABSENT` for what is switched off.

    Raises:
        DynasError: the gates are none of this architecture's.
    """
    try:
        return {name: _present_values(architecture, gates, name) for name in architecture}
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise DynasError("'gates' in run.json does not fit the architectures of results.csv") from error


def _present_values(architecture: Architecture, gates: Gates, name: str) -> Any:
    values = architecture[name]
    if not isinstance(values, list):
        return values if _is_present(architecture, gates, name, 0) else ABSENT
    return [value if _is_present(architecture, gates, name, place) else ABSENT for place, value in enumerate(values)]


def _is_present(architecture: Architecture, gates: Gates, name: str, place: int) -> bool:
    own = gates.get(name, [])
    if place >= len(own) or own[place] is None:
        return True
    parent, index, minimum = own[place]
    value = architecture[parent]
    value = value[index] if isinstance(value, list) else value
    return bool(value >= minimum) and _is_present(architecture, gates, parent, index)
