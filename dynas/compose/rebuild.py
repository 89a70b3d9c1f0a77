"""Rebuilding the supernet and the data of a run, so that a sub-network is the one that was measured."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from dynas.compose.begun import keep_defaults
from dynas.compose.frames import register
from dynas.compose.next_command import PARTS
from dynas.compose.overrides import flat, one_sentence, plain, quoted
from dynas.compose.parts import build_parts
from dynas.compose.stored import shown, stored_overrides
from dynas.core.data import Data
from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.runs.load import Run
from dynas.runs.record import is_compression, trained_anew
from dynas.system.folders import CONFIGS


@dataclass(frozen=True)
class Origin:
    """Where the sub-networks of a run come from.

    Attributes:
        supernet: the supernet, with the very weights of the run.
        data: what quality was measured on.
        config: the composed config of both, as plain containers.
    """

    supernet: Supernet
    data: Data
    config: dict[str, Any]


def rebuild(run: Run, config_dir: Path | None = None, given: Sequence[str] = ()) -> Origin:
    """Return the supernet and the data of a run.

    The run folder may be somebody else's, so nothing that it holds is instantiated: its overrides are checked as
    for resuming and composed with our own configs, and what comes out must agree with the run's config.

    Args:
        run: a run of ``dynas search``, ``evaluate`` or ``predictors``.
        config_dir: a folder with the user's own configs, as ``--config-dir`` of ``dynas search``.
        given: overrides of the run that the user repeats: those that name code are taken over only then.

    Raises:
        DynasError: the overrides are refused, configs, weights or data have changed since the run, or cannot be
            found.
    """
    config = _compose(run, config_dir, given)
    composed = plain(config)
    before, now = ({part: flat(one.get(part)) for part in PARTS} for one in (run.facts.get("config") or {}, composed))
    for part in PARTS:
        for key, value in before[part].items():
            if now[part].get(key) != value:
                raise DynasError(
                    f"'{run.folder}' was measured with {part}.{key}={value} but its overrides now give "
                    f"{now[part].get(key)}: configs have changed since"
                )
    data, supernet = build_parts(config)
    for what, digest in (("weights", supernet.weights_digest), ("data", data.digest)):
        if run.facts.get(f"{what}_sha256") != digest:
            raise DynasError(
                f"the {what} are not those that '{run.folder}' was measured with (SHA-256 {digest[:12]}, not "
                f"{str(run.facts.get(f'{what}_sha256'))[:12]}): put the run's {what} back to where they were"
                f"{trained_anew(run.facts, run.folder) if what == 'weights' else ''}"
            )
    return Origin(supernet, data, {part: composed[part] for part in PARTS})


def _compose(run: Run, config_dir: Path | None, given: Sequence[str]) -> DictConfig:
    """Return what the run's overrides of supernet, data and experiment give with its command's own configs."""
    for one in given:
        if one not in (run.facts.get("overrides") or []):
            raise DynasError(
                f"'{run.folder}' was not started with {shown(one)}: only its own overrides can be repeated"
            )
    overrides = stored_overrides(run.folder, given, lambda one: _is_of(one, *PARTS, "experiment", "hydra"))
    overrides += given
    if config_dir is not None:
        if not config_dir.is_dir():
            raise DynasError(f"--config-dir {config_dir}: there is no such folder")
        overrides.append(f"hydra.searchpath=[{quoted(f'file://{config_dir.absolute()}')}]")
    sys.path.append(os.getcwd())  # a user's own class can be named by _target_ in a config of theirs
    register()
    try:
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            config = compose("compress" if is_compression(run.facts) else "search", overrides=overrides)
    except (HydraException, OmegaConfBaseException) as error:
        hint = "" if config_dir else "; configs of your own are found by --config-dir"
        raise DynasError(f"cannot rebuild the run in '{run.folder}': {one_sentence(error)}{hint}") from error
    keep_defaults(config, run.facts, overrides, PARTS)
    return config


def _is_of(override: str, *parts: str) -> bool:
    return override.lstrip("+~").split("=")[0].split(".")[0] in parts
