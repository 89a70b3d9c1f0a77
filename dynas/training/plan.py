"""How long a training will take: a few steps of each of its phases are timed on a copy before it starts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dynas.training.sandwich import elastic_genes
from dynas.training.training import Training

TIMED = 3  # steps of each phase, after one that is not counted


@dataclass(frozen=True)
class Phase:
    """Epochs in a row in which the same design variables are elastic.

    Attributes:
        elastic: names of these variables; none: the largest sub-network is trained alone.
        everything: whether these are all of them.
        first: its first epoch, counted from 0.
        last: its last epoch.
        seconds: wall time of an epoch.
    """

    elastic: tuple[str, ...]
    everything: bool
    first: int
    last: int
    seconds: float

    @property
    def epochs(self) -> int:
        """Number of its epochs."""
        return self.last - self.first + 1


def make_plan(training: Training) -> list[Phase]:
    """Return the phases of a training, each with the time of an epoch; the training itself is left as it is."""
    names = [elastic_names(training, epoch) for epoch in range(training.recipe.epochs)]
    everything = tuple(variable.name for variable in training.space.variables)
    starts = [epoch for epoch, name in enumerate(names) if epoch == 0 or name != names[epoch - 1]]
    ends = [*(start - 1 for start in starts[1:]), len(names) - 1]
    trial = training.copy()
    trial.net.train()
    with torch.random.fork_rng(devices=[]):
        return [
            Phase(names[first], names[first] == everything, first, last, time_step(trial, first) * training.steps)
            for first, last in zip(starts, ends, strict=True)
        ]


def elastic_names(training: Training, epoch: int) -> tuple[str, ...]:
    """Return the design variables that are elastic in an epoch."""
    elastic = elastic_genes(training.space, training.recipe, epoch)
    names = np.concatenate([[variable.name] * variable.length for variable in training.space.variables])
    return tuple(dict.fromkeys(names[elastic].tolist()))


def time_step(trial: Training, epoch: int) -> float:
    """Return the seconds of a step as they come in an epoch, data included."""
    rng = np.random.default_rng([trial.seed, epoch])
    elastic = elastic_genes(trial.space, trial.recipe, epoch)
    counted = 0
    start = time.perf_counter()
    for index, batch in enumerate(trial.batches(rng)):
        trial.train_step(batch, elastic, epoch * trial.steps + index, rng)
        if index == 0:  # memory and kernels are chosen in it
            start = time.perf_counter()
        counted = index
        if counted == TIMED:
            break
    return (time.perf_counter() - start) / max(counted, 1)


def seconds_left(plan: Sequence[Phase], epochs_done: float) -> float:
    """Return the planned wall time of what comes after so many epochs, begun ones in part."""
    return sum(max(0.0, phase.last + 1 - max(phase.first, epochs_done)) * phase.seconds for phase in plan)
