"""Recipes and small trainings."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dynas.core.data import IGNORED, ClassificationData
from dynas.core.design import DesignVariable
from dynas.core.space import Architecture, SearchSpace
from dynas.core.supernet import Supernet
from dynas.data.images.resize import resize
from dynas.training.sandwich import Recipe
from dynas.training.training import Training

SPACE = SearchSpace([DesignVariable("w", (1, 2, 4)), DesignVariable("d", (1, 2))])


def recipe(**changes: object) -> Recipe:
    settings = {
        "epochs": 6, "batch_size": 8, "learning_rate": 1.0, "weight_decay": 0.0, "warmup": 0.1, "largest_epochs": 0,
        "rule": "sandwich", "random_subnets": 2,
    }  # fmt: skip
    return Recipe(**(settings | changes))  # type: ignore[arg-type]


class Elastic(nn.Module):
    """Two linear layers, of which the first is elastic in its width and the second may be left out."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        x = self.first(x).relu() * (torch.arange(4) < architecture["w"])
        if architecture["d"] == 2:
            x = x + self.second(x).relu()
        logits: Tensor = self.last(x)
        return logits


class Points:
    """Points of two classes, apart by the sign of their sum."""

    def training_steps(self, batch_size: int) -> int:
        return 32 // batch_size

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for _ in range(self.training_steps(batch_size)):
            points = torch.from_numpy(rng.normal(size=(batch_size, 3))).float()
            yield points, (points.sum(1) > 0).long()


def small_training(**changes: object) -> Training:
    """Return a training of an `Elastic` from always the same weights."""
    torch.manual_seed(0)
    return Training(Elastic(), SPACE, Points(), recipe(learning_rate=0.05, **changes), seed=0)


class OneBatch(ClassificationData):
    """Inputs that a supernet takes, with labels drawn at random, a quarter of which is not to be learned."""

    def __init__(self, supernet: Supernet, samples: int = 8) -> None:
        self.inputs = supernet.example_inputs(samples)
        shape = supernet.subnet(supernet.space.decode(supernet.space.largest()))(*self.inputs).shape
        generator = torch.Generator().manual_seed(0)
        self.labels = torch.randint(shape[-1] if len(shape) > 1 else 2, shape[:-1] or shape, generator=generator)
        self.labels = self.labels if len(shape) > 1 else self.labels.float()
        self.labels.flatten()[::4] = IGNORED

    def at(self, resolution: tuple[int, int]) -> OneBatch:
        other = copy(self)
        other.inputs = (resize(self.inputs[0], resolution),)
        return other

    def training_steps(self, batch_size: int) -> int:
        return int(batch_size <= len(self.labels))

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[Any]:
        order = torch.from_numpy(rng.permutation(len(self.labels)))
        yield tuple(one[order] for one in (*self.inputs, self.labels))

    def calibration_batches(self) -> Iterator[Tensor]:
        yield self.inputs[0]

    def validation_batches(self) -> Iterator[Any]:
        yield self.inputs[0], self.labels
