"""Defaults change from version to version: a run goes on with those that it began with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dynas.compose.overrides import flat, plain
from dynas.compose.stored import danger_of_value


def keep_defaults(config: DictConfig, began: Mapping[str, Any], given: Iterable[str] = ()) -> dict[str, object]:
    """Set what nobody gave in a composed config to what a run's own config has, and return what was set.

    The run may be somebody else's: what could name code or a program stays as it was composed.

    Args:
        config: composed now; changed in place.
        began: the config in the run's run.json.
        given: overrides that the run did not begin with; what they set stays.
    """
    named = [override.partition("=")[0].lstrip("+~") for override in given]
    now, before = flat(plain(config)), flat(dict(began))
    differing = {key: value for key, value in before.items() if key in now and now[key] != value}
    kept = {
        key: value
        for key, value in differing.items()
        if not any(f"{key}.".startswith(f"{name}.") for name in named)
        and not danger_of_value(key.split("."), key, value)
    }
    for key, value in kept.items():
        OmegaConf.update(config, key, value)
    return kept
