"""What the quality of a sub-network depends on, as run.json tells it: where it is the same, so is the quality."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from dynas.system.files import plain_value

UNTRAINED = "random"  # instead of a digest: weights that nobody can have again
FULL = "fp32"  # the precision in which all hardware computes the same
Identity = Mapping[str, str]  # from what a value depends on, in words, to JSON


def identity(facts: Mapping[str, Any], objective: str) -> Identity | None:
    """Return what the values of a portable objective depend on; None where a run does not tell.

    Args:
        facts: what run.json says of the run.
        objective: its name.
    """
    config = facts.get("config") or {}
    metric = ((config.get("objectives") or {}).get(objective) or {}).get("metric")
    weights, data = facts.get("weights_sha256"), facts.get("data_sha256")
    versions, supernet = facts.get("versions") or {}, config.get("supernet") or {}
    shape = {key: value for key, value in supernet.items() if key != "weights"}  # wherever they lie
    if not (metric and data and weights) or weights == UNTRAINED:
        return None
    precisions = [config.get("precision"), supernet.get("precision_choices")]
    parts = {
        "weights": weights,
        "data": [data, config.get("data")],
        "settings of the supernet": [shape, facts.get("space"), facts.get("gates")],
        f"settings of {objective}": metric,
        # what is quantised is calibrated by the hardware
        "precision": [precisions, None if precisions == [FULL, None] else config.get("hardware")],
        "steps of fine-tuning": config.get("trial") or 0,  # a compression's search tries sub-networks so
        "version of dynas": versions.get("dynas"),
        "code of your own": facts.get("code_sha256"),
    }
    return {what: canonical(part) for what, part in parts.items()}


def canonical(part: object) -> str:
    """Return a fact as JSON, the same whether it was read from run.json or will be written there."""
    return json.dumps(json.loads(json.dumps(part, default=plain_value)), sort_keys=True)


def digest(identity: Identity) -> str:
    """Return the SHA-256 of an identity."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def difference(earlier: Identity | None, now: Identity) -> str:
    """Return why values of an earlier run are not those of this one; empty where they are."""
    if earlier is None:
        return "does not tell what it measured by"
    others = [what for what, part in now.items() if earlier.get(what) != part]
    return f"was measured with other {' and '.join(others)}" if others else ""
