"""An ordinary network in training: a supernet of which there is nothing to choose."""

from __future__ import annotations

from torch import Tensor, nn

from dynas.core.design import DesignVariable
from dynas.core.space import SearchSpace
from dynas.training.sandwich import Recipe
from dynas.training.steps import TrainingData
from dynas.training.training import Training

SPACE = SearchSpace([DesignVariable("network", ("alone",))])


class Alone(nn.Module):
    """A network that is called as an elastic one is."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map a batch's inputs to logits; the architecture behind them is always the same."""
        logits: Tensor = self.network(*inputs[:-1])
        return logits


def training_alone(network: nn.Module, data: TrainingData, recipe: Recipe, seed: int) -> Training:
    """Return the training of one network on the labels."""
    return Training(Alone(network), SPACE, data, recipe, seed)
