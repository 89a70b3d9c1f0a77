"""A training that can stop after every epoch and go on: network, optimizer, and what was seen on the way."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dynas.core.space import SearchSpace
from dynas.core.supernet import ShowsStates
from dynas.errors import DynasError
from dynas.system.files import replacing
from dynas.training.sandwich import Recipe, elastic_genes, learning_rate, step_genotypes
from dynas.training.steps import (
    Batch,
    TrainingData,
    batches_on,
    descend,
    epoch_steps,
    make_optimizers,
    parts_of,
    step,
)


@dataclass
class Training:
    """A supernet's network on its way.

    Attributes:
        net: the network, on the device that it is trained on; it runs any sub-network on shared weights.
        space: its sub-networks.
        data: what it is trained on.
        recipe: how.
        seed: what all random choices come from.
        mixed: whether products are computed in bfloat16 (weights, sums and losses stay in single precision).
        original: frozen network that the smaller sub-networks learn from, where it is not the largest one.
        epochs: how many are finished.
        curve: what was seen after each of them.

    Raises:
        DynasError: a batch is larger than the training set, or the network has no hidden states to learn from.
    """

    net: nn.Module
    space: SearchSpace
    data: TrainingData
    recipe: Recipe
    seed: int
    mixed: bool = False
    original: nn.Module | None = None
    epochs: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps = epoch_steps(self.data, self.recipe)
        if self.recipe.states > 0 and not isinstance(self.net, ShowsStates):
            raise DynasError(
                f"recipe.states={self.recipe.states}: this network has no hidden states to learn from; give 0"
            )
        self.optimizers = make_optimizers(self.net, self.recipe)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.net.parameters()).device

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Return the batches of an epoch on the network's device."""
        return batches_on(self.device, self.data, self.recipe, rng)

    def train_epoch(self) -> Iterator[float]:
        """Train one more epoch, yielding the first sub-network's loss after every step: in a sandwich the largest's.

        All randomness comes from the seed and the number of the epoch, so that a training that goes on after a stop
        repeats an uninterrupted one.
        """
        rng = np.random.default_rng([self.seed, self.epochs])
        elastic = elastic_genes(self.space, self.recipe, self.epochs)
        self.net.train()
        for index, batch in enumerate(self.batches(rng)):
            yield self.train_step(batch, elastic, self.epochs * self.steps + index, rng)
        self.net.eval()
        self.epochs += 1

    def train_step(self, batch: Batch, elastic: NDArray[np.bool_], index: int, rng: np.random.Generator) -> float:
        """Make step number ``index`` of the training with genes ``(G,)`` that may shrink; return its loss."""
        rate = learning_rate(self.recipe, index, self.recipe.epochs * self.steps)
        genotypes = step_genotypes(self.space, elastic, self.recipe, index, rng)
        distil = self.recipe.rule == "sandwich"
        losses = (
            step(self.net, self.space, genotypes, part, distil, self.original, self.mixed, self.recipe.states, share)
            for part, share in parts_of(batch, self.recipe.accumulate)
        )
        return descend(self.net, self.optimizers, rate, losses, f"training diverged in epoch {self.epochs + 1}")

    def copy(self) -> Training:
        """Return a training of a copy of the network, to try something out."""
        return Training(deepcopy(self.net), self.space, self.data, self.recipe, self.seed, self.mixed, self.original)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {
            "net": self.net.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "epochs": self.epochs,
            "curve": self.curve,
        }

    def save(self, path: Path) -> None:
        """Write a checkpoint, replacing the file as a whole."""
        with replacing(path) as file:
            torch.save(self.state(), file)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint, where there is one.

        Raises:
            DynasError: the file is no checkpoint of this training.
        """
        if not path.exists():
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's about odd files
                state: dict[str, Any] = torch.load(path, weights_only=True, map_location=self.device)
            self.net.load_state_dict(state["net"])
            found = state.get("optimizers") or [state["optimizer"]]  # checkpoints once held a single one
            for optimizer, own in zip(self.optimizers, found, strict=True):
                optimizer.load_state_dict(own)
            self.epochs = int(state["epochs"])
            self.curve = [{name: float(value) for name, value in row.items()} for row in state.get("curve", [])]
        except Exception as error:  # torch raises a different type for every way in which a file can be broken
            raise DynasError(f"'{path}' is no checkpoint of this training: remove it to start from scratch") from error
