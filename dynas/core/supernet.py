"""The contract of supernets."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.core.space import Architecture, Genotypes, SearchSpace


class Supernet(Protocol):
    """A trained weight-sharing network and the space of its sub-networks.

    One for images tells the sizes that its sub-networks take by one more attribute ``resolutions``, a sequence of
    heights and widths, and every sub-network tells its own by an attribute ``resolution``.
    One whose sub-networks choose what they are computed in names the choices, such as fp32 and int8, by an attribute
    ``precision_choices``, and every sub-network tells its own by an attribute ``precision``.
    One may have two more methods: ``timed(subnet)`` returns the module that a latency times instead of one forward
    pass (see `dynas.metrics.latency.time_all`), and ``params_without_embeddings`` counts like ``params``.
    One whose shape comes from its weights tells the number of classes as ``classes``, and by a mapping ``inferred`` the
    settings that an untrained one of the same shape needs.

    Attributes:
        name: name of its family.
        space: what is elastic.
        weights_digest: SHA-256 of the weights' file.
    """

    name: str
    space: SearchSpace
    weights_digest: str

    def subnet(self, architecture: Architecture) -> nn.Module:
        """Return a stand-alone module in eval mode with its own copy of the sliced weights."""
        ...

    def example_inputs(self, batch_size: int, subnet: nn.Module | None = None) -> tuple[Tensor, ...]:
        """Return inputs of one forward pass of ``batch_size`` samples through ``subnet``; None: the largest inputs."""
        ...

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the multiply-accumulates ``(n,)`` for one input of canonical genotypes ``(n, G)``."""
        ...

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the parameters ``(n,)`` of the sub-networks of canonical genotypes ``(n, G)``."""
        ...
