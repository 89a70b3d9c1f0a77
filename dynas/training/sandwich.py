"""Training of an elastic supernet by the sandwich rule with in-place distillation, or by uniform sampling.

Yu and Huang 2019 (arXiv:1903.05134): every step trains the largest, the smallest and some random
sub-networks; all but the largest learn from the largest one's outputs. Under uniform sampling every step trains
random ones only, which learn from the labels. Progressive shrinking (Cai et al. 2020, arXiv:1908.09791) optionally
opens one kind of design variable after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.core.data import IGNORED
from dynas.core.space import Architecture, SearchSpace
from dynas.core.supernet import SizesImages
from dynas.data.images.resize import resize
from dynas.errors import DynasError


@runtime_checkable
class TrainingData(Protocol):
    """What a data set must offer to be trained on."""

    def training_steps(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""
        ...

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
        """Yield the batches of one epoch: the network's inputs, then the labels (see `dynas.core.data.IGNORED`)."""
        ...


RULES = {"sandwich": 0, "uniform": 1}  # and how many random sub-networks a step needs at least


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: passes over the training set.
        batch_size: samples per step; of sentences: tokens.
        learning_rate: peak of the cosine schedule (AdamW).
        weight_decay: decoupled decay of weights that are no norms or biases.
        warmup: share of the steps over which the learning rate rises.
        largest_epochs: first epochs, in which the largest sub-network is trained alone: it learns far faster
            than the sandwich does from nothing, and is a good teacher from then on.
        rule: ``sandwich`` or ``uniform``.
        random_subnets: random sub-networks per step, in a sandwich besides the smallest and the largest.
        progressive: design variables in the order in which they become elastic, at equal shares of the
            epochs that follow; empty: all of them at once.
        teacher: what the smaller sub-networks learn from: ``largest``, the largest one as it is by then, or
            ``original``, a frozen copy of it from before the training.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warmup: float
    largest_epochs: int
    rule: str
    random_subnets: int
    progressive: Sequence[str] = ()
    teacher: str = "largest"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2 or self.random_subnets < 0 or not 0 <= self.warmup < 1:
            raise DynasError(
                "recipe needs epochs >= 1, batch_size >= 2, random_subnets >= 0 and 0 <= warmup < 1, got "
                f"{self.epochs}, {self.batch_size}, {self.random_subnets} and {self.warmup}"
            )
        if self.rule not in RULES or self.random_subnets < RULES[self.rule]:
            raise DynasError(
                f"recipe.rule={self.rule} with recipe.random_subnets={self.random_subnets}: give sandwich, or uniform "
                "with random_subnets of 1 or more"
            )
        if not 0 <= self.largest_epochs < self.epochs:
            raise DynasError(
                f"recipe.largest_epochs={self.largest_epochs} leaves no epoch of {self.epochs} for the other "
                "sub-networks: give a number from 0 to recipe.epochs - 1"
            )
        if self.teacher not in ("largest", "original"):
            raise DynasError(f"recipe.teacher={self.teacher}: give largest or original")
        if self.rule == "uniform" and self.teacher == "original":
            raise DynasError("recipe.teacher=original teaches nothing under recipe.rule=uniform: give rule=sandwich")


def elastic_genes(space: SearchSpace, recipe: Recipe, epoch: int) -> NDArray[np.bool_]:
    """Return the mask ``(G,)`` of genes that may shrink in ``epoch``.

    Raises:
        DynasError: the recipe names a variable that the space lacks.
    """
    names = [variable.name for variable in space.variables]
    if unknown := [name for name in recipe.progressive if name not in names]:
        raise DynasError(f"recipe.progressive names '{unknown[0]}': this space has {', '.join(names)}")
    elastic_epoch = epoch - recipe.largest_epochs
    if elastic_epoch < 0:
        return np.zeros(space.n_genes, dtype=bool)
    opened = set(names)
    if recipe.progressive:
        phase = elastic_epoch * len(recipe.progressive) // (recipe.epochs - recipe.largest_epochs)
        opened -= set(recipe.progressive[phase + 1 :])
    return np.concatenate([[variable.name in opened] * variable.length for variable in space.variables])


def step_genotypes(
    space: SearchSpace, elastic: NDArray[np.bool_], recipe: Recipe, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the genotypes of one step: in a sandwich the largest, the smallest, then random ones; else these only.

    Where no gene is elastic, the largest alone.
    """
    largest = space.cardinality - 1
    if not elastic.any():
        return largest[None]
    rows = space.random_genes(recipe.random_subnets, rng)
    if recipe.rule == "sandwich":
        rows = np.concatenate([largest[None], space.smallest()[None], rows])
    return space.canonical(np.where(elastic, rows, largest))


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the rate of linear warm-up followed by a cosine to zero."""
    warmup = recipe.warmup * steps
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def make_optimizer(net: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW that decays matrices and kernels but neither norms nor biases."""
    decayed = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in net.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def inputs_of(net: nn.Module, architecture: Architecture, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """Return images in the size that a sub-network takes, inputs as they are where the network does not say.

    Every sub-network of a step gets the same images in its own size, as in BigNAS (Yu et al. 2020,
    arXiv:2003.11142): the largest then teaches on the very pictures that the others see, and a resolution is a gene
    like any other. (Once-for-All draws one size per step for all of them.)
    """
    if not isinstance(net, SizesImages):
        return inputs
    return [resize(images, net.image_size(architecture)) for images in inputs]


def task_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy of logits ``(n, classes)`` and labels or shares ``(n, classes)``, or of ``(n,)``.

    Logits ``(n,)`` are of yes or no, and their targets shares ``(n,)``.
    """
    if outputs.ndim == 1:
        return F.binary_cross_entropy_with_logits(outputs, targets)
    return F.cross_entropy(outputs, targets)


def shares(outputs: Tensor) -> Tensor:
    """Return what a sub-network teaches another by its logits: the shares of the classes, or of yes."""
    return outputs.detach().sigmoid() if outputs.ndim == 1 else outputs.detach().softmax(dim=1)


def step(
    net: nn.Module,
    space: SearchSpace,
    genotypes: NDArray[np.int64],
    batch: tuple[Tensor, ...],
    distil: bool,
    original: nn.Module | None = None,
) -> float:
    """Accumulate the gradients of the sub-networks of one step; return the first one's loss.

    Args:
        net: maps inputs and an architecture to logits, one row of the last axis per label.
        space: what the genotypes are of.
        genotypes: the sub-networks.
        batch: the inputs, then the labels.
        distil: whether all but the first learn from the first one's outputs instead of the labels.
        original: what they learn from then instead of the first one: maps the same inputs to logits.
    """
    *inputs, labels = batch
    learned = labels != IGNORED
    targets, first = labels[learned], 0.0
    for index, architecture in enumerate(map(space.decode, genotypes)):
        logits = net(*inputs_of(net, architecture, inputs), architecture)[learned]
        loss = task_loss(logits, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        if index == 0:
            first = float(loss.detach())
            if distil and len(genotypes) > 1:
                targets = shares(logits if original is None else taught(original, net, architecture, inputs)[learned])
    return first


@torch.no_grad()
def taught(original: nn.Module, net: nn.Module, architecture: Architecture, inputs: Sequence[Tensor]) -> Tensor:
    """Return the original network's logits on the inputs that ``net`` gives to an architecture."""
    logits: Tensor = original(*inputs_of(net, architecture, inputs))
    return logits


def train_epoch(
    net: nn.Module,
    space: SearchSpace,
    data: TrainingData,
    recipe: Recipe,
    optimizer: torch.optim.Optimizer,
    epoch: int,
    steps_per_epoch: int,
    seed: int,
    original: nn.Module | None = None,
) -> Iterator[float]:
    """Train one epoch, yielding the first sub-network's loss after every step: in a sandwich the largest one's.

    ``original`` teaches where it is given (see `step`). All randomness comes from ``seed`` and ``epoch``,
    so that a resumed training repeats an uninterrupted one.
    """
    rng = np.random.default_rng([seed, epoch])
    elastic = elastic_genes(space, recipe, epoch)
    net.train()
    for index, batch in enumerate(data.training_batches(recipe.batch_size, rng)):
        rate = learning_rate(recipe, epoch * steps_per_epoch + index, recipe.epochs * steps_per_epoch)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        genotypes = step_genotypes(space, elastic, recipe, rng)
        loss = step(net, space, genotypes, batch, recipe.rule == "sandwich", original)
        if not math.isfinite(loss):
            raise DynasError(f"training diverged in epoch {epoch + 1}: lower recipe.learning_rate")
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        yield loss
    net.eval()
