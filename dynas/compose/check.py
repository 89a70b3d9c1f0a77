"""Config values against what they are for: numbers that make sense, and the arguments of the classes that are named."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from hydra.core.global_hydra import GlobalHydra
from hydra.utils import get_object

from dynas.errors import DynasError, did_you_mean, one_of

LARGEST = 10**15  # beyond it, no count, size or duration makes sense, and numbers of two kinds no longer agree
FLAGS = {"_partial_": bool, "_recursive_": bool, "_args_": list}  # of Hydra, beside _target_
CALLED_WITH = {"executor": 3, "algo": 4}  # arguments that the program adds, see the contracts in dynas.core
WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    type(None): "null",
    Sequence: "a list",
    Mapping: "a mapping such as {a: 1}",
}


def check_values(config: Mapping[str, Any]) -> None:
    """Raise DynasError for a number that is not finite, or too large for anything."""
    for path, value in leaves(config):
        if isinstance(value, int | float) and not abs(value) <= LARGEST:
            text = "so large a number" if isinstance(value, int) else value
            raise DynasError(f"{path}: {text} makes no sense: give one between -{LARGEST:.0e} and {LARGEST:.0e}")


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield all single values of nested containers with their paths, such as ``mode.population``."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


def check_part(path: str, part: object) -> None:
    """Raise DynasError where what a config says of an object does not fit the class or function that makes it.

    Types are those of its annotations; one that names what is not imported at run time is passed over.

    Args:
        path: the key of the part.
        part: what stands there, resolved, as plain containers.
    """
    if not isinstance(part, Mapping) or not isinstance(part.get("_target_"), str):
        raise DynasError(f"{path} names no class: choose an option by {path}=<name>, or give {path}._target_=<class>")
    for flag, kind in FLAGS.items():
        if flag in part and not isinstance(part[flag], kind):
            raise DynasError(f"{path}.{flag}={part[flag]}: give {words(kind)}, or leave it as it is")
    try:
        target = get_object(part["_target_"])
        signature = inspect.signature(target)
    except Exception:  # whatever its module does while it is imported: told when it is called
        return
    given = {str(key): value for key, value in part.items() if str(key) not in (*FLAGS, "_target_", "_convert_")}
    free = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())
    for name, value in given.items():
        if name in signature.parameters:
            if not (isinstance(value, Mapping) and "_target_" in value):
                check_type(f"{path}.{name}", value, annotation(target, signature.parameters[name]))
        elif not free:
            similar = did_you_mean(name, signature.parameters)
            raise DynasError(f"{path}.{name}: {part['_target_']} has no such setting{similar}")
    check_call(path, part, signature, given)


def check_call(path: str, part: Mapping[str, Any], signature: inspect.Signature, given: Mapping[str, object]) -> None:
    """Raise DynasError where a call with the settings would lack one, or give one that the program gives itself."""
    if part.get("_partial_") and path not in CALLED_WITH:
        return
    try:
        signature.bind(*part.get("_args_", []), *[None] * CALLED_WITH.get(path, 0), **given)
    except TypeError as error:
        raise DynasError(f"{path}: {part['_target_']} cannot be called with these settings: {error}") from error


def annotation(target: Callable[..., object], parameter: inspect.Parameter) -> Any:
    """Return the type of a parameter, or Any where it cannot be told."""
    if not isinstance(parameter.annotation, str):
        return Any if parameter.annotation is parameter.empty else parameter.annotation
    made = target.__init__ if inspect.isclass(target) else target
    for owner in (made, target):
        module = sys.modules.get(getattr(owner, "__module__", ""))
        try:
            # source code of the package or of a part that was imported above, one by one: others may not be imported
            return eval(parameter.annotation, vars(module) if module else {})
        except (NameError, AttributeError, TypeError):
            continue
    return Any


def check_type(path: str, value: object, kind: Any) -> None:
    """Raise DynasError where a value is not of an annotated type."""
    if not fits(value, kind):
        text = f"; in quotes it is text: {path}='\"{value}\"'" if str in kinds(kind) and is_number(value) else ""
        raise DynasError(f"{path}={value!s:.200}: give {words(kind)}{text}")


def is_number(value: object) -> bool:
    """Return whether a value is what Hydra makes of unquoted digits or of true and false."""
    return isinstance(value, int | float)


def kinds(kind: Any) -> tuple[Any, ...]:
    """Return the types that a union allows, or the single one."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def fits(value: object, kind: Any) -> bool:
    """Return whether a value, made of plain containers, is of a type; whatever cannot be judged fits."""
    if get_origin(kind) in (Union, types.UnionType):
        return any(fits(value, one) for one in get_args(kind))
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin is Literal:
        return value in inner
    if origin is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if origin is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin in (str, Path):
        return isinstance(value, str)
    if origin in (bool, type(None)):
        return isinstance(value, origin)
    if origin is None:
        return value is None
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and (
            len(inner) != 2 or all(fits(key, inner[0]) and fits(one, inner[1]) for key, one in value.items())
        )
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        each = [one for one in inner if one is not Ellipsis]
        return isinstance(value, list) and (len(each) != 1 or all(fits(one, each[0]) for one in value))
    return True


def words(kind: Any) -> str:
    """Return a type in words."""
    names = []
    for one in kinds(kind):
        origin = get_origin(one) or one
        if origin is Literal:
            names += [str(value) for value in get_args(one)]
            continue
        known = WORDS.get(origin) or ("text" if origin is Path else None)
        if known is None and inspect.isclass(origin):
            known = next((word for base, word in WORDS.items() if issubclass(origin, base)), None)
        names.append(known or str(getattr(one, "__name__", one)))
    return " or ".join(dict.fromkeys(names))


def check_recipe(name: str, supernet: str) -> None:
    """Raise DynasError where there is no recipe of this name; a supernet needs none of its own.

    Hydra, to which recipes are optional, says nothing.
    """
    known = GlobalHydra.instance().config_loader().get_group_options("recipe")
    if name not in (*known, supernet):
        raise one_of("recipe", name, known)
