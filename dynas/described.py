"""What run.json says of a search that Python code started: its parts by name, and their settings."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from dynas.core.problem import Problem
from dynas.runs.problem import problem_facts
from dynas.system.machine import machine_facts, package_versions

Part = tuple[str, dict[str, Any]]  # name, settings


def search_facts(problem: Problem, parts: Mapping[str, Part], budget: int, seed: int) -> dict[str, Any]:
    """Return what run.json says from the start on.

    Args:
        problem: what is searched.
        parts: mode, algorithm, predictor, executor, and what measures.
        budget, seed: as they were given.
    """
    choices = {group: name for group, (name, _) in parts.items()}
    config = {group: settings for group, (_, settings) in parts.items() if settings}
    return {
        "status": "running",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "choices": choices,
        "config": config,
        "config_sha256": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
        "machine": machine_facts(),
        "versions": package_versions(),
        "seed": seed,
        "budget": budget,
        **problem_facts(problem),
    }


def described(part: object, names: Mapping[str, str]) -> Part:
    """Return name and settings of a part: an object, a class, or a factory made by `functools.partial`.

    Args:
        part: the part.
        names: by its path, such as ``dynas.algos.random.RandomSearch``, the name that configs have for it.
    """
    made: Any = part.func if isinstance(part, partial) else part
    owner = made if inspect.isroutine(made) or inspect.isclass(made) else type(made)
    path = f"{owner.__module__}.{owner.__qualname__}"
    settings: Mapping[str, Any] = {}
    if isinstance(part, partial):
        settings = defaults(made) | part.keywords
    elif owner is not made:
        settings = vars(part) if hasattr(part, "__dict__") else {}
    shown = {key: plain(value) for key, value in settings.items() if not key.startswith("_")}
    return names.get(path, owner.__qualname__), shown


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the arguments of a function that have a default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # one that tells no signature
        return {}
    return {one.name: one.default for one in parameters if one.default is not one.empty}


def function_name(function: object) -> str:
    """Return what a user's function is called."""
    made = function.func if isinstance(function, partial) else function
    return made.__qualname__ if inspect.isroutine(made) or inspect.isclass(made) else type(made).__qualname__


def plain(value: object) -> Any:
    """Return a setting as JSON holds it: what is no number, text, list or mapping by its name."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [plain(one) for one in value]
    return function_name(value)
