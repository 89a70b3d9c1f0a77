"""JSON of files that anyone may have written."""

from __future__ import annotations

import json
from typing import Any


def from_json(text: str | bytes) -> Any:
    """Return what a JSON text says; raise ValueError where it is none, or nested beyond what anyone would write."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
