"""Search modes by name, for the Python API."""

from __future__ import annotations

from collections.abc import Callable

from dynas.core.mode import SearchMode
from dynas.errors import one_of
from dynas.modes.linas import Linas
from dynas.modes.oneshot import OneShot
from dynas.modes.validation import Validation

MODES: dict[str, Callable[[], SearchMode]] = {"linas": Linas, "oneshot": OneShot, "validation": Validation}


def named_mode(name: str) -> SearchMode:
    """Return a mode with its default settings; raise DynasError for an unknown name."""
    if name not in MODES:
        raise one_of("mode", name, MODES)
    return MODES[name]()
