"""What run.json may hold: the kind of each of its facts, and numbers that make sense."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

LARGEST = 10**15  # of numbers: beyond it no count, size or duration makes sense
LONGEST = 10**300  # of a number of sub-networks, which may be astronomic
MOST_OBJECTIVES = 20  # a front of more is every sub-network, and no table can show it


def is_number(value: object) -> bool:
    """Return whether a value is a number, as JSON has them: true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Return whether a value is a whole number."""
    return is_number(value) and isinstance(value, int)


def is_texts(value: object) -> bool:
    """Return whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


KINDS: Mapping[str, Callable[[object], bool]] = {
    "a text": lambda value: isinstance(value, str),
    "a text or null": lambda value: value is None or isinstance(value, str),
    "a whole number": is_whole,
    "a number": is_number,
    "a number or null": lambda value: value is None or is_number(value),
    "a mapping": lambda value: isinstance(value, dict),
    "a mapping of texts": lambda value: isinstance(value, dict) and is_texts([*value.values()]),
    "a list of texts": is_texts,
    "a list": lambda value: isinstance(value, list),
}
SHAPE = {
    "status": "a text", "started": "a text", "ended": "a text", "stopped": "a text or null",
    "choices": "a mapping of texts", "overrides": "a list of texts", "config": "a mapping", "objectives": "a list",
    "original": "a text", "shares": "a mapping", "constraints": "a list", "space": "a list", "gates": "a mapping",
    "notes": "a list of texts", "machine": "a mapping", "hardware": "a mapping", "versions": "a mapping",
    "hypervolume": "a mapping", "qualities": "a list", "config_sha256": "a text or null",
    "weights_sha256": "a text or null", "data_sha256": "a text or null", "hardware_sha256": "a text or null",
    "code_sha256": "a text or null", "known_sha256": "a text or null",
    "seed": "a whole number", "budget": "a whole number", "space_size": "a whole number",
    "torch_threads": "a whole number", "evaluations": "a whole number", "seconds": "a number",
    "cpu_seconds": "a number", "measurement_seconds": "a number", "activities": "a mapping",
    "reference_ms": "a number or null",
}  # fmt: skip


def misshapen(facts: Mapping[str, object]) -> str:
    """Return what is wrong with the facts of a run.json, empty where nothing is; others than these may be anything."""
    for name, kind in SHAPE.items():
        if name in facts and not KINDS[kind](facts[name]):
            return f"its '{name}' is not {kind}"
    objectives = facts.get("objectives", [])
    if isinstance(objectives, list) and len(objectives) > MOST_OBJECTIVES:
        return f"it has {len(objectives)} objectives, more than {MOST_OBJECTIVES}"
    for path, number in numbers(facts):
        if not abs(number) <= (LONGEST if path == "space_size" else LARGEST):
            return f"the number at '{path}' makes no sense"
    return ""


def numbers(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    """Yield all numbers in nested containers with their paths, such as ``config.budget``."""
    if isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in entries:
            yield from numbers(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, int | float):
        yield path, value
