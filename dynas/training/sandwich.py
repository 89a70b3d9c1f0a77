"""Training of an elastic supernet by the sandwich rule with in-place distillation, or by uniform sampling.

Yu and Huang 2019 (arXiv:1903.05134): every step trains the largest, the smallest and some random
sub-networks; all but the largest learn from the largest one's outputs. Under uniform sampling every step trains
random ones only, which learn from the labels. Progressive shrinking (Cai et al. 2020, arXiv:1908.09791) optionally
opens one kind of design variable after the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynas.core.space import SearchSpace
from dynas.errors import DynasError, one_of

OPTIMIZERS = ("adamw", "muon")
RULES = {"sandwich": 0, "uniform": 1}  # and how many random sub-networks a step needs at least


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: passes over the training set.
        batch_size: samples per step; of sentences: tokens.
        learning_rate: peak of the cosine schedule.
        weight_decay: decoupled decay of weights that are no norms or biases.
        warmup: share of the steps over which the learning rate rises.
        largest_epochs: first epochs, in which the largest sub-network is trained alone: it learns far faster
            than the sandwich does from nothing, and is a good teacher from then on.
        rule: ``sandwich`` or ``uniform``.
        random_subnets: random sub-networks per step, in a sandwich besides the largest.
        smallest_every: steps of a sandwich between those that train the smallest sub-network, too; 1: all of them do;
            0: none. Trained in every step, it becomes better than others that cost more.
        progressive: design variables in the order in which they become elastic, at equal shares of the
            epochs that follow; empty: all of them at once.
        teacher: what the smaller sub-networks learn from: ``largest``, the largest one as it is by then, or
            ``original``, a frozen copy of it from before the training.
        states: weight of how far a smaller sub-network's hidden states are from the teacher's (1 less their mean
            cosine) beside what it learns of the outputs; 0: they are not looked at.
        accumulate: parts in which a batch goes through the network, one after the other, where memory is scarce; the
            step is the same.
        optimizer: ``adamw``, or ``muon``, which moves all matrices but embedding tables and leaves the rest to AdamW
            (see `dynas.training.muon`).
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warmup: float
    largest_epochs: int
    rule: str
    random_subnets: int
    smallest_every: int = 1
    progressive: Sequence[str] = ()
    teacher: str = "largest"
    states: float = 0.0
    accumulate: int = 1
    optimizer: str = "adamw"

    def __post_init__(self) -> None:
        for name, value, least in (
            ("epochs", self.epochs, 1),
            ("batch_size", self.batch_size, 2),
            ("random_subnets", self.random_subnets, 0),
            ("smallest_every", self.smallest_every, 0),
            ("accumulate", self.accumulate, 1),
        ):
            if value < least:
                raise DynasError(f"recipe.{name}={value}: give {least} or more")
        if not 0 <= self.warmup < 1:
            raise DynasError(f"recipe.warmup={self.warmup}: give 0 or more, and less than 1")
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
        if self.optimizer not in OPTIMIZERS:
            raise one_of("recipe.optimizer", self.optimizer, OPTIMIZERS)
        if self.teacher not in ("largest", "original"):
            raise DynasError(f"recipe.teacher={self.teacher}: give largest or original")
        if not 0 <= self.states < math.inf:
            raise DynasError(f"recipe.states={self.states}: give 0 or more")
        if self.rule == "uniform" and self.states > 0:
            raise DynasError("recipe.states teaches nothing under recipe.rule=uniform: give rule=sandwich, or states=0")
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
    named = np.concatenate([[variable.name in opened] * variable.length for variable in space.variables])
    return named & (space.cardinality > 1)


def step_genotypes(
    space: SearchSpace, elastic: NDArray[np.bool_], recipe: Recipe, index: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the genotypes of a step: in a sandwich the largest, the smallest if it is due, then random ones.

    Under uniform sampling these only; where no gene is elastic, the largest alone.

    Args:
        space: what they are of.
        elastic: which genes ``(G,)`` may shrink.
        recipe: how many, and when the smallest is due.
        index: number of the step.
        rng: draws random ones.
    """
    largest = space.cardinality - 1
    if not elastic.any():
        return largest[None]
    rows = space.random_genes(recipe.random_subnets, rng)
    if recipe.rule == "sandwich":
        due = recipe.smallest_every > 0 and index % recipe.smallest_every == 0
        rows = np.concatenate([largest[None], *([space.smallest()[None]] if due else []), rows])
    return space.canonical(np.where(elastic, rows, largest))


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the rate of linear warm-up followed by a cosine to zero."""
    warmup = recipe.warmup * steps
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))
