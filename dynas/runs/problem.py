"""What was searched, as run.json holds it: the design variables, the objectives and what constrains them besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dynas.core.constraint import Constraint
from dynas.core.design import DesignVariable, Gate
from dynas.core.objectives import Objective
from dynas.core.problem import Problem
from dynas.core.space import Architecture, SearchSpace
from dynas.errors import DynasError
from dynas.runs.gates import gates_of

LARGEST_TABLE = 10_000_000  # genes of a space times options of one of them: beyond it nobody searches


def problem_facts(problem: Problem) -> dict[str, Any]:
    """Return what run.json says of a problem."""
    limits = [limit_facts(constraint.limit) for constraint in problem.constraints]
    return {
        "objectives": [asdict(objective) for objective in problem.objectives],
        **({"constraints": limits} if limits else {}),
        "space": [variable_facts(variable) for variable in problem.space.variables],
        "space_size": problem.space.size,
        "gates": gates_of(problem.space),
        **({"shares": dict(problem.shares)} if problem.shares else {}),
        **({"bands": dict(problem.bands)} if problem.bands else {}),
        **({} if problem.original is None else {"original": problem.space.key(problem.original)}),
    }


def as_asked(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what run.json says of a run without the bounds that were shares of the original."""
    shares = facts.get("shares") or {}
    objectives = [one | {"bound": None} if one["name"] in shares else one for one in facts["objectives"]]
    return {**facts, "objectives": objectives}


def limit_facts(limit: Objective) -> dict[str, Any]:
    """Return what run.json says of a constraint."""
    return {"name": limit.name, "direction": limit.direction, "unit": limit.unit, "bound": limit.bound}


def variable_facts(variable: DesignVariable) -> dict[str, Any]:
    """Return what run.json says of a design variable; its gates stand elsewhere (`dynas.runs.gates`)."""
    facts: dict[str, Any] = {"name": variable.name, "choices": list(variable.choices), "length": variable.length}
    if variable.constants:
        facts["constants"] = list(variable.constants)
    if variable.aliases:
        facts["aliases"] = [
            [position, choice, same] for position, some in variable.aliases.items() for choice, same in some.items()
        ]
    return facts


def read_space(facts: Mapping[str, Any], architectures: Sequence[Architecture], where: object) -> SearchSpace | None:
    """Return the search space of a run; None where run.json, being older, does not tell and nothing was measured.

    An older run's space is what was measured of it: the options that its architectures have.

    Args:
        facts: contents of run.json.
        architectures: what was measured.
        where: the file, for messages.

    Raises:
        DynasError: what stands there is no space.
    """
    gates = facts.get("gates") or {}
    if "space" not in facts and not architectures:
        return None
    try:
        entries = facts["space"] if "space" in facts else measured_variables(architectures)
        variables = [_variable(entry, gates) for entry in entries]
        if sum(one.length for one in variables) * max(len(one.choices) for one in variables) > LARGEST_TABLE:
            raise ValueError("it is too large")
        return SearchSpace(variables)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError, DynasError) as error:
        raise DynasError(f"'{where}' describes no search space: {error}") from error


def measured_variables(architectures: Sequence[Architecture]) -> list[dict[str, Any]]:
    """Return design variables with just the options that some architectures have, in rising order where they have one.

    Raises:
        ValueError: the architectures are not of one space.
    """
    entries = []
    for name, first in architectures[0].items():
        length = len(first) if isinstance(first, list) else 1
        values = [one[name] if isinstance(first, list) else [one[name]] for one in architectures]
        if any(len(some) != length for some in values):
            raise ValueError(f"architectures have '{name}' of several lengths")
        options = list({repr(value): value for some in values for value in some}.values())
        entries.append({"name": name, "choices": in_order(options), "length": length})
    return entries


def in_order(options: list[Any]) -> list[Any]:
    """Return options sorted where they can be, else by their text."""
    try:
        return sorted(options)
    except TypeError:
        return sorted(options, key=repr)


def read_constraints(facts: Mapping[str, Any], where: object) -> tuple[Objective, ...]:
    """Return the constraints of a run as objectives with bounds; raise DynasError where they are none."""
    try:
        return tuple(
            Objective(str(one["name"]), one["direction"], str(one["unit"]), float(one["bound"]), exact=True)
            for one in facts.get("constraints") or ()
        )
    except (KeyError, TypeError, ValueError, DynasError) as error:
        raise DynasError(f"'{where}' has no valid constraints: {error}") from error


def stored_constraint(limit: Objective) -> Constraint:
    """Return a constraint whose function is known only to the program that searched."""
    assert limit.bound is not None
    return Constraint(limit.name, _gone(limit.name), limit.bound, limit.direction, limit.unit)


def _gone(name: str) -> Callable[[Architecture], float]:
    def function(architecture: Architecture) -> float:
        raise DynasError(f"the function of constraint '{name}' is not part of a run folder")

    return function


def _variable(entry: Mapping[str, Any], gates: Mapping[str, Any]) -> DesignVariable:
    name, length = entry["name"], entry["length"]
    if type(length) is not int or not 0 < length * len(entry["choices"]) <= LARGEST_TABLE:
        raise ValueError(f"'{name}' has {len(entry['choices'])} choices and the length {length!r}")
    own = [gate and Gate(str(gate[0]), int(gate[1]), gate[2]) for gate in gates.get(name) or ()]
    own += [None] * (length - len(own) if own else 0)  # an older run does not tell genes from constants
    aliases: dict[int, dict[Any, Any]] = {}
    for position, choice, same in entry.get("aliases") or ():
        aliases.setdefault(position, {})[choice] = same
    return DesignVariable(name, entry["choices"], length, tuple(own), entry.get("constants") or (), aliases)
