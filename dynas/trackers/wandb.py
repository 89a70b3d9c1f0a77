"""Weights & Biases: https://docs.wandb.ai."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from dynas.core.callback import Progress
from dynas.errors import DynasError, one_of
from dynas.system.extras import install
from dynas.trackers.base import Tracker, files, folder_id, front_table, parameters

try:
    import wandb
except ImportError as error:
    raise DynasError(f"track=wandb needs W&B: {install('wandb')}") from error

STEP = "evaluation"
MODES = ("online", "offline", "disabled")


class Wandb(Tracker):
    """Writes a run to W&B, or with ``mode="offline"`` to files that ``wandb sync`` sends later.

    Args:
        project: name of the project.
        entity: account or team; None: the user's own.
        mode: ``online`` or ``offline``; None: as WANDB_MODE says, else online.

    Raises:
        DynasError: another mode.
    """

    def __init__(self, project: str = "dynas", entity: str | None = None, mode: str | None = None) -> None:
        super().__init__()
        self._project, self._entity = project, entity
        self._mode = mode or os.environ.get("WANDB_MODE", "online")
        if self._mode not in MODES:
            raise one_of("track.wandb.mode", self._mode, MODES)

    def begin(self, progress: Progress) -> None:
        """Open a run, or the one that this folder has."""
        place = str((progress.folder or Path.cwd()).absolute())
        own = folder_id(progress.folder) if progress.folder else None
        self._run = wandb.init(
            project=self._project,
            entity=self._entity,
            id=own,
            resume="allow" if own else None,
            name=progress.folder.name if progress.folder else None,
            dir=place,
            config=parameters(progress),
            mode=cast(Any, self._mode),  # checked above
            settings=wandb.Settings(silent=True, console="off", init_timeout=30, login_timeout=5),
        )
        self._run.define_metric("*", step_metric=STEP)

    def numbers(self, progress: Progress, step: int, values: Mapping[str, float]) -> None:
        """Log numbers over evaluations."""
        self._run.log({STEP: step, **values})

    def end(self, progress: Progress) -> None:
        """Log the front as a table, and the files of the run folder as an artifact."""
        header, rows = front_table(progress)
        self._run.log({"front": wandb.Table(columns=cast(Any, header), data=rows)})
        artifact = wandb.Artifact("run_folder", type="run")
        for path in files(progress):
            artifact.add_file(str(path))
        self._run.log_artifact(artifact)
        self._run.finish(exit_code=0 if progress.status == "finished" else 1)
