"""Recipes and small trainings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from dynas.core.design import DesignVariable
from dynas.core.space import Architecture, SearchSpace
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
