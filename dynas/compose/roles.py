"""Whether what a config names plays its role."""

from __future__ import annotations

from inspect import get_annotations

from dynas.errors import DynasError


def check_role(part: str, given: object, role: type) -> None:
    """Raise DynasError where what a config names does not play its role.

    Args:
        part: the part of the config.
        given: the object.
        role: the contract of `dynas.core`, whose attributes without a default it must have.
    """
    contract = f"{role.__module__}.{role.__name__}"
    if not isinstance(given, role):
        raise DynasError(f"{part}._target_ makes a {type(given).__name__}, which does not inherit from {contract}")
    if missing := [name for name in get_annotations(role) if not hasattr(given, name)]:
        raise DynasError(f"{part}: {type(given).__name__} has no {missing[0]}, which {contract} asks for")


def check_methods(part: str, given: object, role: type) -> None:
    """Raise DynasError where what a config names lacks a method or an attribute of a contract that nobody inherits."""
    if missing := [name for name in vars(role) if not name.startswith("_") and not hasattr(given, name)]:
        contract = f"{role.__module__}.{role.__name__}"
        raise DynasError(f"{part}: {type(given).__name__} has no {missing[0]}, which {contract} asks for")
