"""TensorBoard: https://www.tensorflow.org/tensorboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dynas.core.callback import Progress
from dynas.errors import DynasError
from dynas.system.extras import install
from dynas.trackers.base import Tracker, files, front_table, parameters, whole

try:
    from torch.utils.tensorboard.writer import SummaryWriter
except ImportError as error:
    raise DynasError(f"track=tensorboard needs TensorBoard: {install('tensorboard')}") from error


class TensorBoard(Tracker):
    """Writes event files, which ``tensorboard --logdir <folder>`` shows.

    Args:
        folder: where they go; None: ``tensorboard`` in the run folder, or in the current one where there is none.
    """

    def __init__(self, folder: str | None = None) -> None:
        super().__init__()
        self._folder = folder

    def begin(self, progress: Progress) -> None:
        """Open event files; earlier ones of the folder are told anew."""
        folder = Path(self._folder) if self._folder else (progress.folder or Path()) / "tensorboard"
        self._writer = SummaryWriter(str(folder), purge_step=0)
        self._writer.add_text("parameters", markdown(["name", "value"], [*map(list, parameters(progress).items())]), 0)

    def numbers(self, progress: Progress, step: int, values: Mapping[str, float]) -> None:
        """Write scalars."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def end(self, progress: Progress) -> None:
        """Write the front as a table, and pictures."""
        step = len(progress.evaluations)
        self._writer.add_text("front", markdown(*front_table(progress)), step)
        for path in files(progress):
            if path.suffix == ".png":
                with Image.open(path) as image:
                    self._writer.add_image(path.stem, np.asarray(image.convert("RGB")), step, dataformats="HWC")
        self._writer.close()


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(whole, line))} |" for line in lines)
