"""Defaults change from version to version: a run goes on with those that it began with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dynas.compose.overrides import flat, plain
from dynas.compose.stored import danger_of_value


def keep_defaults(
    config: DictConfig, facts: Mapping[str, Any], overrides: Iterable[str], parts: Collection[str] = ()
) -> dict[str, object]:
    """Set what nobody gave in a composed config to what a run's own config has, and return what was set.

    The run may be somebody else's: what could name code or a program stays as it was composed.

    Args:
        config: composed now; changed in place.
        facts: what run.json says of the run.
        overrides: what the config was composed with; what they name stays, and all of an option that is chosen now.
        parts: first keys of what is set; empty for all.
    """
    named = {one: one.partition("=")[0].lstrip("+~") for one in overrides}
    given = [key for one, key in named.items() if one not in (facts.get("overrides") or [])]
    if "experiment" in given:  # which may be about any key
        return {}
    now, before = flat(plain(config)), flat(facts.get("config") or {})

    def wanted(key: str, value: object) -> bool:
        path = key.split(".")
        return (
            key in now
            and now[key] != value
            and (not parts or path[0] in parts)
            and key not in named.values()
            and not any(f"{key}.".startswith(f"{name}.") for name in given)
            and not danger_of_value(path, key, value)
        )

    kept = {key: value for key, value in before.items() if wanted(key, value)}
    for key, value in kept.items():
        OmegaConf.update(config, key, value)
    return kept
