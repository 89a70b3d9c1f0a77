"""Options of genes as users read them: architectures such as ``{"ks": [3, 5], "d": 2}``, keys such as ``ks01-d0``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynas.core.design import DesignVariable, plain
from dynas.errors import DynasError


def architecture_of(variables: Sequence[DesignVariable], options: Sequence[int]) -> dict[str, Any]:
    """Return the architecture whose ``G`` genes have these options."""
    architecture: dict[str, Any] = {}
    for variable, own in shared_out(variables, options):
        values = [*(variable.choices[option] for option in own), *variable.constants]
        architecture[variable.name] = values if len(values) > 1 else values[0]
    return architecture


def options_of(variables: Sequence[DesignVariable], architecture: Mapping[str, Any]) -> list[int]:
    """Return the option of each gene of an architecture; raise DynasError where it does not fit."""
    expected = [variable.name for variable in variables]
    if not isinstance(architecture, Mapping) or sorted(map(str, architecture)) != sorted(expected):
        raise DynasError(f"an architecture of this space is a mapping with the keys {', '.join(expected)}")
    options: list[int] = []
    for variable in variables:
        try:
            values = plain(architecture[variable.name])
        except RecursionError as error:
            raise DynasError(f"'{variable.name}' is nested too deeply") from error
        count = variable.length + len(variable.constants)
        values = values if count > 1 else [values]
        if not isinstance(values, Sequence) or len(values) != count:
            raise DynasError(f"'{variable.name}' needs {count} values, got {values!r}")
        if tuple(values[variable.length :]) != variable.constants:
            raise DynasError(f"'{variable.name}' ends with {list(variable.constants)}, got {values!r}")
        for value in values[: variable.length]:
            if value not in variable.choices:
                raise DynasError(f"'{variable.name}' cannot be {value!r}: choose from {list(variable.choices)}")
            options.append(variable.choices.index(value))
    return options


def key_of(variables: Sequence[DesignVariable], options: Sequence[int]) -> str:
    """Return the options of ``G`` genes as a short text."""
    return "-".join(
        variable.name + ("" if len(variable.choices) <= 10 else ".").join(map(str, own))
        for variable, own in shared_out(variables, options)
    )


def shared_out(
    variables: Sequence[DesignVariable], options: Sequence[int]
) -> Iterator[tuple[DesignVariable, Sequence[int]]]:
    """Yield each design variable with the options of its own genes."""
    first = 0
    for variable in variables:
        yield variable, options[first : first + variable.length]
        first += variable.length
