"""Gradient steps of a training: one batch, several sub-networks on shared weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.core.data import IGNORED
from dynas.core.space import Architecture, SearchSpace
from dynas.core.supernet import ShowsStates, SizesImages
from dynas.data.images.resize import resize
from dynas.errors import DynasError
from dynas.training.muon import Muon
from dynas.training.sandwich import Recipe

CLIPPED = 5.0  # norm that gradients have at most
Batch = tuple[Tensor, ...]  # the network's inputs, then the labels (see `dynas.core.data.IGNORED`)


@runtime_checkable
class TrainingData(Protocol):
    """What a data set must offer to be trained on."""

    def training_steps(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""
        ...

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        ...


def placed(net: nn.Module, device: str) -> nn.Module:
    """Return a network on a device, in the layout in which convolutions are quickest there."""
    moved: nn.Module = net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def epoch_steps(data: TrainingData, recipe: Recipe) -> int:
    """Return the number of steps of an epoch; raise DynasError where a batch is larger than the training set."""
    steps = data.training_steps(recipe.batch_size)
    if steps == 0:
        raise DynasError(f"recipe.batch_size={recipe.batch_size} is larger than the whole training set")
    return steps


def batches_on(device: torch.device, data: TrainingData, recipe: Recipe, rng: np.random.Generator) -> Iterator[Batch]:
    """Yield the batches of an epoch on a device."""
    for batch in data.training_batches(recipe.batch_size, rng):
        yield tuple(part.to(device) for part in batch)


def make_optimizers(net: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Return AdamW, which decays matrices and kernels but neither norms nor biases; Muon before it where asked for."""
    made: list[torch.optim.Optimizer] = []
    rest = list(net.parameters())
    if recipe.optimizer == "muon":
        tables = {module.weight for module in net.modules() if isinstance(module, nn.Embedding)}
        matrices = [parameter for parameter in rest if parameter.ndim == 2 and parameter not in tables]
        rest = [parameter for parameter in rest if parameter.ndim != 2 or parameter in tables]
        made.append(Muon(matrices, recipe.learning_rate, recipe.weight_decay))
    groups = [
        {"params": [parameter for parameter in rest if parameter.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [parameter for parameter in rest if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    return [*made, torch.optim.AdamW(groups, lr=recipe.learning_rate)]


def descend(
    net: nn.Module, optimizers: Sequence[torch.optim.Optimizer], rate: float, losses: Iterable[float], diverged: str
) -> float:
    """Move the weights of ``net`` once and return the loss.

    Args:
        net: the network.
        optimizers: what moves all of its weights.
        rate: the learning rate.
        losses: accumulates the gradients while it is gone through; the loss is the sum.
        diverged: what to say where that is not finite.

    Raises:
        DynasError: it is not.
    """
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
    loss = sum(losses)
    if not math.isfinite(loss):
        raise DynasError(f"{diverged}: lower recipe.learning_rate")
    nn.utils.clip_grad_norm_(net.parameters(), CLIPPED)
    for optimizer in optimizers:
        optimizer.step()
    return loss


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
    batch: Batch,
    distil: bool,
    original: nn.Module | None = None,
    mixed: bool = False,
    states: float = 0.0,
    share: float = 1.0,
) -> float:
    """Accumulate the gradients of the sub-networks of one step; return the first one's loss.

    Args:
        net: maps inputs and an architecture to logits, one row of the last axis per label.
        space: what the genotypes are of.
        genotypes: the sub-networks.
        batch: the inputs, then the labels.
        distil: whether all but the first learn from the first one's outputs instead of the labels.
        original: what they learn from then instead of the first one: maps the same inputs to logits.
        mixed: whether products are computed in bfloat16.
        states: weight of the distance between hidden states and the teacher's (`Recipe`).
        share: of the step that this batch is; gradients and loss are multiplied by it.
    """
    *inputs, labels = batch
    learned, shown = labels != IGNORED, states > 0
    targets, first, taught = labels[learned], 0.0, None
    for index, architecture in enumerate(map(space.decode, genotypes)):
        own = inputs_of(net, architecture, inputs)
        logits, hidden = outputs_of(net, [*own, architecture], mixed, shown)
        loss = task_loss(logits[learned], targets)
        if hidden is not None and taught is not None:
            loss = loss + states * distance(hidden, taught)
        loss = share * loss
        loss.backward()  # type: ignore[no-untyped-call]
        if index == 0:
            first = float(loss.detach())
            if distil and len(genotypes) > 1:
                with torch.no_grad():
                    lesson = (logits, hidden) if original is None else outputs_of(original, own, mixed, shown)
                targets, taught = shares(lesson[0][learned]), lesson[1]
    return first


def outputs_of(
    net: nn.Module, inputs: Sequence[Tensor | Architecture], mixed: bool, shown: bool
) -> tuple[Tensor, Tensor | None]:
    """Return a network's logits, and its hidden states where they are to be shown."""
    device = next(value.device for value in inputs if isinstance(value, Tensor))
    with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
        if not shown:
            return net(*inputs).float(), None
        assert isinstance(net, ShowsStates)
        logits, hidden = net.with_states(*inputs)
    return logits.float(), hidden.float()


def distance(hidden: Tensor, taught: Tensor) -> Tensor:
    """Return 1 less the mean cosine of hidden states ``(..., width)`` and a teacher's."""
    return 1 - F.cosine_similarity(hidden, taught.detach(), dim=-1).mean()


def parts_of(batch: Batch, count: int) -> Iterator[tuple[Batch, float]]:
    """Yield parts of a batch in which anything is learned, each with its share of all that is learned.

    Of a batch without any label, all is learned: from a teacher.
    """
    learned = batch[-1] != IGNORED
    if not learned.any():
        learned = torch.ones_like(learned)
    parts = zip(*(one.chunk(count) for one in batch), strict=True)
    for part, own in zip(parts, learned.chunk(count), strict=True):
        if own.any():
            yield part, int(own.sum()) / int(learned.sum())
