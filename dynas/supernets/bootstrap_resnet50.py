"""A supernet made from one trained ResNet: elastic depths, expansion ratios and widths.

As BootstrapNAS does (Munoz et al. 2021, arXiv:2112.10878), with the design space of Cummings et al. 2022, Appendix
G.5. Every sub-network is an ordinary ResNet: the first blocks of each stage and the first channels of each layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from dynas.core.space import Architecture, Genotypes
from dynas.errors import DynasError
from dynas.supernets.images import ImageSupernet, check_heights, choose_precision, in_full_precision
from dynas.supernets.layers import copy_slice
from dynas.supernets.resnets.bootstrap_shape import Costs, Shape, check_options, search_space
from dynas.supernets.resnets.checkpoint import layout_of, order_channels
from dynas.supernets.resnets.plain import Layout, ResNet, Strides
from dynas.supernets.weights.download import sha256
from dynas.supernets.weights.load import copy_state, locate
from dynas.supernets.weights.state import our_names, read_state

OURS = "largest."  # how the names of a supernet's weights start, unlike those of an ordinary ResNet


@lru_cache(maxsize=16)
def skeleton(layout: Layout, strides: Strides, resolution: tuple[int, int]) -> ResNet:
    """Return a network without weights, kept for the next time."""
    with torch.device("meta"):
        return ResNet(layout, strides, resolution)


class ElasticResNet(nn.Module):
    """All sub-networks in the weights of the largest one."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self._sizes = dict(zip(shape.heights, shape.resolutions, strict=False))
        self.largest = ResNet(shape.network, shape.strides, shape.resolutions[-1])

    def image_size(self, architecture: Architecture) -> tuple[int, int]:
        """Return height and width of the images that a sub-network takes."""
        return self._sizes[architecture["r"]] if self._sizes else self.shape.resolution

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        """Run the active part of one architecture: images ``(N, channels, H, W)`` to logits."""
        net = skeleton(self.shape.subnet(architecture), self.shape.strides, self.shape.resolution)
        full = dict(self.largest.named_parameters()) | dict(self.largest.named_buffers())
        active = {
            name: full[name][tuple(map(slice, part.shape))]
            for name, part in (*net.named_parameters(), *net.named_buffers())
        }
        logits: Tensor = functional_call(net.train(self.training), active, (x,))
        return logits

    def static(self, architecture: Architecture) -> ResNet:
        """Return a stand-alone network with copies of the active weights, in eval mode."""
        with torch.device("meta"):
            net = ResNet(self.shape.subnet(architecture), self.shape.strides, self.image_size(architecture))
        net = net.to_empty(device="cpu")
        copy_slice(net, self.largest)
        return net.eval()


def untrained(network: Mapping[str, Any] | None) -> Layout:
    """Return the layout that ``supernet.network`` describes.

    Raises:
        DynasError: it describes none.
    """
    if network is None:
        raise DynasError(
            "supernet bootstrap_resnet50 is made from a trained ResNet: give the path of its weights as "
            "supernet.weights, in dynas train as start, or the layout of an untrained one as supernet.network"
        )
    try:
        outputs, middles = tuple(network["outputs"]), tuple(map(tuple, network["middles"]))
        layout = Layout(**{**network, "outputs": outputs, "middles": middles})
        counts = [layout.channels, layout.classes, layout.kernel, layout.stem, *outputs, *chain(*middles)]
        positive = all(type(count) is int and count > 0 for count in counts)
        if not positive or not outputs or len(outputs) != len(middles) or not all(middles) or layout.kernel % 2 == 0:
            raise ValueError
    except (KeyError, TypeError, ValueError) as error:
        raise DynasError(
            f"supernet.network={network}: give channels, classes, an odd kernel, stem, outputs (one per stage) "
            "and middles (a list over the blocks of each stage)"
        ) from error
    return layout


class BootstrapResNet50Supernet(ImageSupernet):
    """The trained supernet that the search draws from.

    Args:
        weights: ``embedded``, a path to a trained supernet or to the state dict of an ordinary ResNet, whose channels
            are then put in order of importance, or ``random`` (untrained).
        resolution: input height and width in pixels.
        depths, widths, expansions, divisor: see `dynas.supernets.resnets.bootstrap_shape.Shape`.
        network: the layout of the network, see `dynas.supernets.resnets.plain.Layout`; None: that of the weights.
        stem_stride: stride of the first convolution; None: 2 where its kernel is of 7 pixels, else 1.
        pooling: whether a max-pooling of stride 2 follows it; None: where its kernel is of 7 pixels.
        strides: stride of the first block of each stage; None: 1, then 2.
        seed: seed of the weights where ``weights=random``.
        resolutions: image heights to choose from, ascending, which adds the design variable ``r``; widths follow
            the aspect of ``resolution``. None: all images have ``resolution``.
        precision_choices: ``[fp32, int8]`` adds the design variable ``p``; None: all sub-networks have one precision.

    Attributes:
        classes: number of classes of the weights.
        inferred: settings that the weights decide: with them an untrained supernet has the same shape.

    Raises:
        DynasError: the weights cannot be read or are no ResNet, or the options make no sense for it.
    """

    name = "bootstrap_resnet50"
    shape: Shape

    def __init__(
        self,
        weights: str,
        resolution: Sequence[int],
        depths: Sequence[int],
        widths: Sequence[float],
        expansions: Sequence[float],
        divisor: int,
        network: Mapping[str, Any] | None = None,
        stem_stride: int | None = None,
        pooling: bool | None = None,
        strides: Sequence[int] | None = None,
        seed: int = 0,
        resolutions: Sequence[int] | None = None,
        precision_choices: Sequence[str] | None = None,
    ) -> None:
        numbers = [divisor, *resolution, *(strides or ()), *([] if stem_stride is None else [stem_stride])]
        if len(resolution) != 2 or min(numbers) <= 0:
            raise DynasError(
                f"supernet {self.name} needs resolution=[height,width] and positive numbers for divisor, stem_stride "
                "and strides"
            )
        path = None if weights == "random" else locate(weights, self.name, None)
        state = {} if path is None else our_names(read_state(path))
        ours = any(name.startswith(OURS) for name in state)
        layout = untrained(network) if path is None else layout_of(_plain_names(state), path)
        if path is not None and network is not None and untrained(network) != layout:
            raise DynasError(f"supernet.network is not the layout of '{path}': give supernet.network=null")
        self.shape = Shape(
            layout,
            strides_of(layout, stem_stride, pooling, strides),
            (resolution[0], resolution[1]),
            check_heights(resolutions),
            tuple(depths),
            tuple(map(float, widths)),
            tuple(map(float, expansions)),
            divisor,
        )
        check_options(self.shape)
        self.space = choose_precision(search_space(self.shape), precision_choices)
        self.precision_choices = precision_choices
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticResNet(self.shape)
        if path is not None:
            copy_state(self.elastic if ours else self.elastic.largest, state, path)
            if not ours:
                order_channels(self.elastic.largest, layout)
        self.weights_digest = "random" if path is None else sha256(path)
        self.classes = layout.classes
        largest = self.space.decode(self.space.largest())
        plain = path is not None and not ours and self.shape.subnet(largest) == layout
        self._original = in_full_precision(largest) if plain else None
        self.inferred = {"network": asdict(layout)}
        self.elastic.eval()

    @property
    def original(self) -> Architecture | None:
        """The ResNet that it was made from; None once all sub-networks were trained together."""
        return self._original

    @cached_property
    def _costs(self) -> Costs:
        return Costs(self.shape)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates for one image of each canonical genotype: ``(n,)``."""
        return self._costs.macs(genotypes)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters of each canonical genotype's sub-network: ``(n,)``."""
        return self._costs.params(genotypes)


def _plain_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(OURS): value for name, value in state.items()}


def strides_of(layout: Layout, stem: int | None, pooling: bool | None, stages: Sequence[int] | None) -> Strides:
    """Return the strides, which no shapes tell: where not given, those of ImageNet's stem or of CIFAR's by its kernel.

    Raises:
        DynasError: the network has another number of stages.
    """
    large = layout.kernel == 7
    count = len(layout.outputs)
    strides = (1, *[2] * (count - 1)) if stages is None else tuple(stages)
    if len(strides) != count:
        raise DynasError(
            f"supernet.strides={list(strides)}: give {count} strides, one per stage of the network, or null"
        )
    return Strides((2 if large else 1) if stem is None else stem, large if pooling is None else pooling, strides)
