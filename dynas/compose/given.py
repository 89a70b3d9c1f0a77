"""The overrides that a user types: told apart, and read as they were meant where a shell or Hydra would stumble."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from dynas.compose.overrides import FLAGS_WITH_VALUE, is_sweep, quoted
from dynas.errors import DynasError

LONGEST = 20_000  # characters of an override: more than any architecture takes, too few to keep a parser busy
GROUPING = "[]{}()'\",$\\"  # signs that may be meant as Hydra's; all others mean themselves


def read_overrides(arguments: Iterable[str], command: str) -> list[str]:
    """Return the arguments, each override such that Hydra takes it as it was meant.

    ``key=~/images`` becomes the home folder's, as a shell would have it. A value that Hydra's grammar lacks, such as
    ``epoch=10.ckpt`` or ``run#3.pth``, is quoted.

    Args:
        arguments: overrides and flags.
        command: what they were given to, as one types it.

    Raises:
        DynasError: an override cannot be read, holds bytes that are no text, or gives several values without ``-m``.
    """
    given, waiting = [], iter(arguments)
    several = is_sweep(arguments := list(arguments))
    waiting = iter(arguments)
    for argument in waiting:
        if argument.startswith("-"):
            given.append(argument)
            if argument in FLAGS_WITH_VALUE and (value := next(waiting, None)) is not None:
                given.append(value)
            continue
        given.append(_read(argument, several, command))
    return given


def _read(argument: str, several: bool, command: str) -> str:
    """Return one override as Hydra is to see it."""
    if any("\udc80" <= sign <= "\udcff" for sign in argument):
        raise DynasError(f"{argument}: a name that is no UTF-8 cannot be kept in a config: rename it, or link to it")
    if len(argument) > LONGEST:
        raise DynasError(f"the override {argument[:40]}... is longer than {LONGEST} characters: put it into a file")
    key, sign, value = argument.partition("=")
    if sign and value.startswith("~"):
        argument = f"{key}={quoted(os.path.expanduser(value))}"
    override = parsed(argument)
    if override is None and sign and value and not set(value) & set(GROUPING):
        argument = f"{key}={quoted(value)}"
        override = parsed(argument)
    if override is None:
        hint = shlex.quote(f"{key}={quoted(value)}")
        raise DynasError(
            f"cannot read the override {shlex.quote(argument)}: "
            + (f"if its value is text, quote it twice, {hint}" if sign and parsed(f"{key}=1") else "write key=value")
        )
    if override.is_sweep_override() and not several:
        one = f", or quote a value that has a comma in it, {shlex.quote(f'{key}={quoted(value)}')}" * ("," in value)
        raise DynasError(f"{argument} gives several values: sweep over them, dynas {command} -m {argument}{one}")
    return argument


def parsed(argument: str) -> Any:
    """Return Hydra's reading of an override, None where it is no override."""
    try:
        return OverridesParser.create().parse_override(argument)
    except (HydraException, RecursionError):
        return None
