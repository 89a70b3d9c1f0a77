"""Fine-tuning of single sub-networks, each on its own: what sharing its weights with others has cost it comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, islice

import numpy as np
import torch
from torch import Tensor, nn

from dynas.core.activity import doing
from dynas.core.data import IGNORED, Data
from dynas.core.space import Architecture
from dynas.core.supernet import Supernet, Trainable, resolution_of
from dynas.data.images.resize import resize
from dynas.errors import DynasError
from dynas.metrics.calibration import as_measured, measured_network
from dynas.training.sandwich import Recipe, learning_rate
from dynas.training.steps import (
    Batch,
    TrainingData,
    batches_on,
    descend,
    epoch_steps,
    make_optimizers,
    outputs_of,
    parts_of,
    placed,
    shares,
    task_loss,
)

KEPT_BYTES = 2**28  # of the teacher's outputs
GENTLER = 0.1  # of the recipe's learning rate: the weights have been trained


@dataclass(frozen=True)
class Tuner:
    """Fine-tunes sub-networks.

    Half of what each learns are the labels and half the outputs of the frozen network that all are made from, on the
    batches, by the optimizer and along the schedule of `dynas.training.training`. Of samples without labels it learns
    the outputs alone.

    Attributes:
        supernet: where they come from.
        data: what they learn.
        recipe: how the supernet is trained: batches, optimizer, decay, warm-up, and the learning rate, of which a tenth
            is taken.
        steps: gradient steps of each.
        seed: what the order of samples comes from.
        device: where they are tuned.
        mixed: whether products are computed in bfloat16.

    Raises:
        DynasError: supernet or data are not made for training, the supernet has not learned the task, or there are no
            steps or less than a batch of samples.
    """

    supernet: Supernet
    data: Data
    recipe: Recipe
    steps: int
    seed: int = 0
    device: str = "cpu"
    mixed: bool = False

    def __post_init__(self) -> None:
        check_trainable(self.supernet, self.data)
        if not self.supernet.trained:
            raise DynasError(
                f"the weights of supernet '{self.supernet.name}' are random: train them by dynas train before "
                "sub-networks are tuned"
            )
        if type(self.steps) is not int or self.steps < 1:
            raise DynasError(f"tune={self.steps}: give a number of steps of 1 or more, or null")
        epoch_steps(self._samples, self.recipe)

    @cached_property
    def teacher(self) -> nn.Module:
        """The network that all are made from, or else the largest one, as it is measured."""
        space = self.supernet.space
        whole = self.supernet.original or space.decode(space.largest())
        return placed(measured_network(self.supernet, self.data, whole), self.device).requires_grad_(False)

    def tuned(self, architecture: Architecture, steps: int | None = None) -> nn.Module:
        """Return a sub-network after its steps, stand-alone, in eval mode, on the CPU and as it is measured.

        Args:
            architecture: which one it is.
            steps: how many it gets; None: `steps` of the tuner.

        Raises:
            DynasError: its loss became infinite.
        """
        return self.improved(self.supernet.subnet(architecture), steps)

    def improved(self, network: nn.Module, steps: int | None = None) -> nn.Module:
        """Return any network after its steps, as `tuned` does; it is changed in place."""
        subnet = placed(network, self.device).train()
        recipe = replace(self.recipe, learning_rate=GENTLER * self.recipe.learning_rate)
        optimizers, steps = make_optimizers(subnet, recipe), steps or self.steps
        with doing("tuning, step") as activity:
            for index, batch in enumerate(islice(self._batches(), steps)):
                activity.step(index + 1, steps)
                parts = enumerate(parts_of(batch, recipe.accumulate))
                losses = (self._learn(subnet, part, share, (index, place)) for place, (part, share) in parts)
                descend(subnet, optimizers, learning_rate(recipe, index, steps), losses, "tuning diverged")
        subnet.to("cpu").to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return as_measured(subnet.eval(), self.data)

    @property
    def _samples(self) -> TrainingData:
        assert isinstance(self.data, TrainingData)
        return self.data

    def _batches(self) -> Iterator[Batch]:
        """Yield the batches of one epoch after the other, the same ones for every sub-network."""
        for epoch in count():
            rng = np.random.default_rng([self.seed, epoch])
            yield from batches_on(torch.device(self.device), self._samples, self.recipe, rng)

    def _learn(self, subnet: nn.Module, batch: Batch, share: float, number: tuple[int, int]) -> float:
        """Accumulate the gradients of a batch that is a share of a step's; return its loss."""
        *inputs, labels = batch
        own = outputs_of(subnet, in_size(subnet, inputs), self.mixed, shown=False)[0]
        taught, learned = self._taught(inputs, number), labels != IGNORED
        if learned.any():
            own, taught = own[learned], taught[learned]
            loss = share * (task_loss(own, labels[learned]) + task_loss(own, shares(taught))) / 2
        else:
            loss = share * task_loss(own, shares(taught))
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def _taught(self, inputs: list[Tensor], number: tuple[int, int]) -> Tensor:
        """Return the teacher's outputs, which are asked for once: all sub-networks see the same batches."""
        if number not in self._answers:
            answer = outputs_of(self.teacher, in_size(self.teacher, inputs), self.mixed, shown=False)[0]
            if sum(one.nbytes for one in self._answers.values()) + answer.nbytes > KEPT_BYTES:
                return answer
            self._answers[number] = answer
        return self._answers[number]

    @cached_property
    def _answers(self) -> dict[tuple[int, int], Tensor]:
        """What the teacher said, by the numbers of a batch and of its part."""
        return {}


def in_size(net: nn.Module, inputs: list[Tensor]) -> list[Tensor]:
    """Return images in the size that a stand-alone network takes, inputs as they are where it does not say."""
    size = resolution_of(net)
    return inputs if size is None else [resize(images, size) for images in inputs]


def check_trainable(supernet: Supernet, data: Data) -> None:
    """Raise DynasError where supernet or data are not made for training."""
    if not isinstance(supernet, Trainable) or not isinstance(data, TrainingData):
        part = data if isinstance(supernet, Trainable) else supernet
        raise DynasError(f"{type(part).__name__} is not made for training: choose another supernet or other data")
