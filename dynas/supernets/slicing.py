"""Weight sharing by slices: the parameters of a smaller network are the leading parts of the largest one's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from dynas.core.space import Architecture


class Linear(nn.Linear):
    """A linear layer without first weights: whoever makes the network fills them in."""

    def reset_parameters(self) -> None:
        """Do nothing."""


class Sliced(nn.Module):
    """Mixin of a network of the largest architecture that runs or cuts out any smaller one.

    Its own class comes next to it among the bases, and says by `smaller` which networks are cut out.
    """

    @abstractmethod
    def smaller(self, architecture: Architecture) -> nn.Module:
        """Return a sub-network, whose weights are not looked at."""

    def view(self, name: str, size: torch.Size, subnet: nn.Module) -> Tensor:
        """Return the part of the largest weights that is a sub-network's parameter of a name and size."""
        return self.get_parameter(name)[tuple(slice(0, length) for length in size)]

    def cut(self, architecture: Architecture) -> tuple[nn.Module, Mapping[str, Tensor]]:
        """Return a sub-network without weights and the views that are its parameters."""
        with torch.device("meta"):
            subnet = self.smaller(architecture)
        return subnet, {name: self.view(name, part.shape, subnet) for name, part in subnet.named_parameters()}

    def static(self, architecture: Architecture) -> Any:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        subnet, views = self.cut(architecture)
        for name, view in views.items():
            path, _, last = name.rpartition(".")
            weight = nn.Parameter(view.detach().clone(memory_format=torch.contiguous_format))
            setattr(subnet.get_submodule(path), last, weight)
        return subnet.eval()

    def run(self, architecture: Architecture, *inputs: Tensor | None) -> Tensor:
        """Run a sub-network on shared weights."""
        subnet, views = self.cut(architecture)
        outputs: Tensor = functional_call(subnet.train(self.training), dict(views), inputs)
        return outputs
