"""Whether a run may begin in a folder, or go on there."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from dynas.compose.begun import keep_defaults
from dynas.compose.next_command import resume_command
from dynas.compose.overrides import flat, overrides, plain
from dynas.errors import DynasError, DynasWarning
from dynas.runs.names import RUN
from dynas.runs.record import read_run

ENDINGS = ("budget", "max_minutes", "patience", "max_failures")  # keys that only say when a search ends
TUNING = ("tune", "tune_recipe")  # keys that only say what is done to a front
FREE = ("executor.", "validation.", "track")  # beginnings of keys that change nothing of what is measured or trained
# what a run did whose config lacks the key, being older
ADDED = {
    "device": "cpu", "mixed_precision": False, "recipe.smallest_every": 1, "recipe.states": 0, "recipe.accumulate": 1,
    "recipe.optimizer": "adamw", "mode.features": "one_hot",
}  # fmt: skip


def check_opening(config: DictConfig, folder: Path, product: str) -> None:
    """Raise DynasError where the run in ``folder`` cannot go on by this config, or one cannot begin there.

    Args:
        config: the composed config; its ``resume`` says which of the two is wanted.
        folder: the run folder.
        product: the file that a run which has begun holds.
    """
    if config.resume:
        check_same_config(folder, plain(config))
    else:
        check_fresh(folder, product)


def check_fresh(folder: Path, product: str) -> None:
    """Raise DynasError where the folder of a new run already holds ``product`` of another one."""
    if not (folder / product).exists():
        return
    if not (folder / RUN).exists():
        raise DynasError(f"'{folder}' holds {product} but no {RUN}, so it cannot go on: give another hydra.run.dir")
    raise DynasError(f"'{folder}' already holds a run: go on with it by resume={folder}, or give another hydra.run.dir")


def first_begun(folder: Path) -> Path | None:
    """Return the folder of a run that has begun, or of the first one of its sweep that has; None where none has."""
    if (folder / RUN).exists():
        return folder
    return next((path.parent for path in sorted(folder.parent.glob(f"*/{RUN}"))), None)


def go_on_as_begun(config: DictConfig, folder: Path) -> None:
    """Take over what a run's config had where nothing is said about it now, and say so.

    Args:
        config: of the run, or of another one of its sweep; changed in place.
        folder: the run's.
    """
    if kept := keep_defaults(config, read_run(folder), overrides()):
        shown = ", ".join(f"{key}={value}" for key, value in kept.items())
        warnings.warn(f"goes on with {shown}, as '{folder}' began", DynasWarning, stacklevel=2)


def check_same_config(folder: Path, config: dict[str, Any]) -> None:
    """Raise DynasError, naming the differences, unless the run in ``folder`` has this config.

    Where sub-networks are measured may differ: a run may go on with more workers. So may what ends it: a finished
    search with a larger budget is the same one with more evaluations. So may what is looked at during a training. A
    search that tuned nothing may go on to do so.
    """
    now = flat(config)
    before = {key: value for key, value in ADDED.items() if key in now} | flat(read_run(folder).get("config"))
    if before.get("budget", 0) > now.get("budget", 0):  # type: ignore[operator]
        raise DynasError(
            f"'{folder}' was started with budget={before['budget']}: go on with that or a larger one, "
            f"not budget={now['budget']}"
        )
    free = ENDINGS if before.get("tune") is not None else (*ENDINGS, *TUNING)
    keys = [key for key in {**before, **now} if not key.startswith(FREE) and key not in free]
    differing = [key for key in keys if before.get(key) != now.get(key)]
    if differing:
        shown = ", ".join(f"{key}={before.get(key)} (now {now.get(key)})" for key in differing[:3])
        raise DynasError(
            f"'{folder}' was started with {shown}: go on with the same config, "
            f"`{resume_command(HydraConfig.get().job.name, folder)}`, or start a new run"
        )
