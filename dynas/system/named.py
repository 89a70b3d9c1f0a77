"""What a user's own module holds, by its name: ``module:function``."""

from __future__ import annotations

import importlib
import re
from typing import TypeVar

from dynas.errors import DynasError, reason

NAMED = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
Kind = TypeVar("Kind")


def found_or_made(text: str, setting: str, kind: type[Kind]) -> object:
    """Return what stands under a name, or what it returns when it is called where it is not of a kind itself.

    Args:
        text: ``module:function``, or a name within what the module holds, such as ``module:One.two``.
        setting: where the user wrote it, for errors.
        kind: of what is looked for.

    Raises:
        DynasError: the name is none, there is nothing under it, or what it names fails.
    """
    if not NAMED.fullmatch(text):
        raise DynasError(
            f"{setting}={text}: give <module>:<function>, such as mine:{setting.rpartition('.')[2]} for the function "
            f"{setting.rpartition('.')[2]}() in mine.py"
        )
    place, _, name = text.partition(":")
    try:
        found: object = importlib.import_module(place)
        for part in name.split("."):
            found = getattr(found, part)
        return found if isinstance(found, kind) else found()  # type: ignore[operator]
    except Exception as error:  # a user's module may raise anything
        raise DynasError(f"{setting}={text} cannot be used: {reason(error)}") from error
