"""Any trained network as a supernet: its sub-networks have fewer channels, heads and blocks.

The structure is found on the graph of torch.export (see `dynas.supernets.pruning`). Channels are kept in the order of
their L1 norm (Li et al. 2017, arXiv:1608.08710), summed over all layers that they are part of, as Fang et al. 2023
(arXiv:2301.12900) do for groups of layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.core.space import Architecture, Genotypes
from dynas.core.supernet import ChoosesPrecision, resolution_of
from dynas.errors import DynasError
from dynas.supernets.images import ImageSupernet, choose_precision, in_full_precision
from dynas.supernets.pruning.network import RANKS, PrunableNetwork
from dynas.supernets.pruning.original import digest, fill, original
from dynas.supernets.weights.download import sha256
from dynas.supernets.weights.load import locate
from dynas.supernets.weights.state import read_state

OURS = "original."  # how the names of a network's weights start that was trained with its sub-networks
AS_IT_IS = "random"  # the word that exported files say for weights that they bring themselves
SAMPLES = 2  # that the network is traced with: of a batch of one, torch.export would make a constant


@dataclass(frozen=True)
class Images:
    """What the network takes.

    Attributes:
        channels: of an image.
        resolution: height and width in pixels.
    """

    channels: int
    resolution: tuple[int, int]

    @property
    def resolutions(self) -> tuple[tuple[int, int], ...]:
        """The one size of all images."""
        return (self.resolution,)


class PruneSupernet(ImageSupernet):
    """The sub-networks of one trained classifier of images.

    Args:
        model: the network: a `torch.nn.Module`, ``module:function`` for a function that returns it and is run, or the
            path of a torch.export program.
        weights: path of its state dict, or of the weights that ``dynas train`` wrote; None or ``random``: those that
            the network comes with.
        resolution: input height and width in pixels; in a config, None stands for those of the data's images.
        channels: input channels, as well.
        shares, divisor: see `dynas.supernets.pruning.space.make_elastic`.
        skip_blocks: whether whole residual blocks may be left out.
        precision_choices: ``[fp32, int8]`` adds the design variable ``p``; None: all sub-networks have one precision.

    Attributes:
        classes: number of the network's classes.
        inferred: the size of its images, which a config may leave to the data.

    Raises:
        DynasError: there is no such network, its weights do not fit, it cannot be traced, does not return logits, or
            has nothing to prune.
    """

    name = "prune"
    shape: Images
    elastic: PrunableNetwork

    def __init__(
        self,
        model: str | nn.Module,
        weights: str | None = None,
        resolution: Sequence[int] | None = None,
        channels: int | None = None,
        shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0),
        divisor: int = 8,
        skip_blocks: bool = True,
        precision_choices: Sequence[str] | None = None,
    ) -> None:
        if resolution is None or channels is None:
            raise DynasError(
                "there are no images that tell what size the network takes: give supernet.resolution=[height,width] "
                "and supernet.channels"
            )
        if len(resolution) != 2 or min(*resolution, channels) < 1:
            raise DynasError(
                f"supernet.resolution={list(resolution)} supernet.channels={channels}: give [height,width] in pixels "
                "and the number of channels of the network's images"
            )
        self._settings = (model, weights, resolution, channels, shares, divisor, skip_blocks, precision_choices)
        self.shape = Images(channels, (resolution[0], resolution[1]))
        network = original(model)
        if resolution_of(network) not in (None, self.shape.resolution) or isinstance(network, ChoosesPrecision):
            raise DynasError(
                "the network has an attribute 'resolution' or 'precision', by which sub-networks tell what they take: "
                "give it another name in your code"
            )
        path = None if weights in (None, AS_IT_IS) else locate(str(weights), self.name, None)
        state = {} if path is None else read_state(path)
        ours = any(name.startswith(RANKS) for name in state)
        if path is not None:
            fill(network, own_part(state) if ours else state, path)
        floats = tuple(map(float, shares))
        self.elastic = PrunableNetwork(network, self.example_inputs(SAMPLES), floats, divisor, skip_blocks)
        if ours and path is not None:
            self.elastic.keep_order({name: value for name, value in state.items() if name.startswith(RANKS)}, str(path))
        self.elastic.eval()
        self.space = choose_precision(self.elastic.choices.space, precision_choices)
        self.precision_choices = precision_choices
        self.weights_digest = digest(network) if path is None else sha256(path)
        self.classes = self.elastic.classes
        self.inferred = {"resolution": list(resolution), "channels": channels}

    @property
    def original(self) -> Architecture:
        """The network itself."""
        return in_full_precision(self.space.decode(self.space.largest()))

    def __reduce__(self) -> tuple[Any, ...]:
        """Let other processes make it anew: graphs cannot be sent."""
        return type(self), self._settings

    def subnet(self, architecture: Architecture) -> nn.Module:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        subnet = super().subnet(architecture)
        subnet.resolution = self.shape.resolution  # type: ignore[assignment]
        return subnet

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates for one image of each canonical genotype: ``(n,)``."""
        return self.elastic.costs.macs(genotypes)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters of each canonical genotype's sub-network: ``(n,)``."""
        return self.elastic.costs.params(genotypes) + self.elastic.unused

    def peak_activations(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the most elements of activations that are alive at a time for one image: ``(n,)``."""
        return self.elastic.activations.peak(genotypes)


def own_part(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the network's own weights among those that ``dynas train`` wrote."""
    return {name.removeprefix(OURS): value for name, value in state.items() if name.startswith(OURS)}
