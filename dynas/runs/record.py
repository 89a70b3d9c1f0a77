"""run.json: what a run was started with, where, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynas.errors import DynasError
from dynas.runs.names import RUN
from dynas.runs.shape import misshapen
from dynas.runs.upgrade import searched, upgraded, with_movielens_apart
from dynas.system.files import from_json, plain_value, write_atomic

FORMAT = 1  # of run folders; what older ones mean today is said by `dynas.runs.upgrade`


def write_run(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write run.json."""
    text = json.dumps({"format": FORMAT, **facts}, indent=2, default=plain_value)
    write_atomic(folder / RUN, text + "\n")


def is_compression(facts: Mapping[str, Any]) -> bool:
    """Tell from run.json whether a run is a step of ``dynas compress``, or all of it."""
    return "trial" in (facts.get("config") or {})


def read_run(folder: Path) -> dict[str, Any]:
    """Return the contents of a run's run.json, in today's words whatever version wrote it.

    Raises:
        DynasError: there is none, it is not JSON, a newer dynas wrote it, or something in it is of another kind.
    """
    path = folder / RUN
    try:
        facts = from_json(path.read_text(encoding="utf-8"))
        if not isinstance(facts, dict):
            raise ValueError("it is no JSON object")
    except FileNotFoundError as error:
        raise DynasError(f"'{folder}' is not a run folder: it has no {RUN}") from error
    except (OSError, ValueError) as error:
        raise DynasError(f"cannot read '{path}': {error}") from error
    form = facts.get("format", 0)
    if type(form) is not int or form < 0:
        raise DynasError(f"'{path}' has the format {json.dumps(form)}: expected a number up to {FORMAT}")
    if form > FORMAT:
        raise DynasError(
            f"'{path}' has format {form}, which a newer dynas wrote: this one reads formats up to {FORMAT}, update it"
        )
    facts = with_movielens_apart(searched(upgraded(facts) if form == 0 else facts))
    if wrong := misshapen(facts):
        raise DynasError(f"'{path}' does not describe a run: {wrong}")
    return facts


def trained_anew(facts: Mapping[str, Any], folder: Path) -> str:
    """Return what else may be done where a run's weights were the package's own, which are others now; else nothing."""
    supernet = (facts.get("config") or {}).get("supernet") or {}
    if supernet.get("weights") != "embedded":
        return ""
    return f", or measure its front with the weights that the package has now: dynas evaluate architectures={folder}"
