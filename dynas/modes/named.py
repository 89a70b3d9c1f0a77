"""Search modes by name, for the Python API."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from dynas.core.mode import SearchMode
from dynas.errors import DynasError, one_of
from dynas.modes.additive import Additive
from dynas.modes.linas import Linas
from dynas.modes.oneshot import OneShot
from dynas.modes.validation import Validation

MODES: dict[str, Callable[..., SearchMode]] = {
    "linas": Linas,
    "oneshot": OneShot,
    "additive": Additive,
    "validation": Validation,
}


def named_mode(name: str, **settings: Any) -> SearchMode:
    """Return a mode, its settings the defaults but for those that are given.

    Raises:
        DynasError: an unknown name, or a setting that the mode lacks.
    """
    if name not in MODES:
        raise one_of("mode", name, MODES)
    for setting in settings:
        if setting not in inspect.signature(MODES[name]).parameters:
            raise DynasError(f"mode={name} has no {setting}: it predicts nothing, or takes no such setting")
    return MODES[name](**settings)
