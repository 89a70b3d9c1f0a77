"""A target: this machine's CPU, timed by a clock.

`dynas.core.bench.Meter` says what a target promises. Change `_time` to what your device does: send the module there, or
compile it, and return milliseconds. A target that is a program needs no class: see ``hardware=command``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dynas.core.bench import Meter
from dynas.core.meter import Timing
from dynas.errors import DynasError
from dynas.system.ticker import quiet


class Mine(Meter):
    """Times forward passes in PyTorch.

    Args:
        batch_size: samples per forward pass; None: 32.
        warmup: passes before the first one that counts.
        repeats: passes that count.
    """

    def __init__(self, batch_size: int | None, warmup: int, repeats: int) -> None:
        self.batch_size = 32 if batch_size is None else batch_size
        if self.batch_size < 1 or warmup < 0 or repeats < 1:
            raise DynasError(f"batch_size={batch_size}, warmup={warmup}, repeats={repeats}: give 1, 0 and 1, or more")
        self.warmup, self.repeats = warmup, repeats

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        """Return one timing per module, each for a forward pass of its own inputs."""
        with quiet():  # nothing is drawn on the screen meanwhile
            return [self._time(module, own) for module, own in zip(modules, inputs, strict=True)]

    def _time(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> Timing:
        times = []
        with torch.inference_mode():
            for _ in range(self.warmup + self.repeats):
                begun = time.perf_counter()
                module(*inputs)
                times.append(1000 * (time.perf_counter() - begun))
        p10, median, p90 = np.quantile(times[self.warmup :], (0.1, 0.5, 0.9)).tolist()
        return Timing(median, p10, p90, self.repeats, quality="")  # nobody watches how fast the machine is meanwhile
