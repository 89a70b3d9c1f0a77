"""What the supernets of inverted residual blocks have in common."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.errors import DynasError
from dynas.space import Architecture, Genotypes
from dynas.supernets.mbconv import ElasticMBConvNet, MBConvNet
from dynas.supernets.mbconv_shape import CostTable, Family, Shape, search_space
from dynas.supernets.weights import load_weights


class MBConvSupernet:
    """The trained supernet that the search draws from (see `dynas.supernets.base.Supernet`).

    A sub-class says which network it is: its ``name`` and ``family``.

    Args:
        weights: ``embedded``, ``random`` (untrained, for training and tests) or a path to a checkpoint.
        width, resolution, channels, classes, stem_stride, strides: see `dynas.supernets.mbconv_shape.Shape`.
        seed: seed of the weights where ``weights=random``.
        resolutions: image heights to choose from, ascending, which adds the design variable ``r``; widths follow
            the aspect of ``resolution``. None: all images have ``resolution``.

    Raises:
        DynasError: the weights cannot be read or do not fit, or the shape makes no sense.
    """

    name: str
    family: Family

    def __init__(
        self,
        weights: str,
        width: float,
        resolution: Sequence[int],
        channels: int,
        classes: int,
        stem_stride: int,
        strides: Sequence[int],
        seed: int = 0,
        resolutions: Sequence[int] | None = None,
    ) -> None:
        stages = len(self.family.stages)
        if len(resolution) != 2 or len(strides) != stages:
            raise DynasError(
                f"supernet {self.name} needs resolution=[height,width] and {stages} strides, "
                f"got resolution={list(resolution)} strides={list(strides)}"
            )
        if min(width, channels, classes, stem_stride, *resolution, *strides) <= 0:
            raise DynasError(
                f"supernet {self.name} needs positive numbers for width, resolution, channels, classes, stem_stride "
                "and strides"
            )
        size, heights = (resolution[0], resolution[1]), check_heights(resolutions)
        self.shape = Shape(self.family, width, size, channels, classes, stem_stride, tuple(strides), heights)
        self.space = search_space(self.family, heights)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticMBConvNet(self.shape)
        self.weights_digest = load_weights(self.elastic, weights, self.name)
        self.elastic.eval()
        self.cost = CostTable(self.shape)

    @property
    def resolutions(self) -> tuple[tuple[int, int], ...]:
        """Heights and widths of the images that sub-networks take."""
        return self.shape.resolutions

    def subnet(self, architecture: Architecture) -> MBConvNet:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        return self.elastic.static(architecture)

    def example_inputs(self, batch_size: int, subnet: nn.Module | None = None) -> tuple[Tensor, ...]:
        """Return one batch of seeded noise, shaped as the images of ``subnet``, by default the largest ones."""
        height, width = getattr(subnet, "resolution", self.resolutions[-1])
        noise = torch.Generator().manual_seed(0)
        return (torch.randn(batch_size, self.shape.channels, height, width, generator=noise),)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates for one image of each canonical genotype: ``(n,)``."""
        return self.cost.total(self.cost.macs, self.cost.fixed_macs, genotypes)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters of each canonical genotype's sub-network: ``(n,)``."""
        return self.cost.total(self.cost.params, self.cost.fixed_params, genotypes)


def check_heights(resolutions: Sequence[int] | None) -> tuple[int, ...]:
    """Return the image heights to choose from, none for None; raise DynasError where they make no sense."""
    if resolutions is None:
        return ()
    fits = isinstance(resolutions, Sequence) and all(type(height) is int for height in resolutions)
    if not fits or len(resolutions) < 2 or resolutions[0] < 1 or any(b <= a for a, b in pairwise(resolutions)):
        raise DynasError(
            f"supernet.resolutions={resolutions}: give two or more image heights in ascending order, such as "
            "[128,160,192,224], or null for supernet.resolution alone"
        )
    return tuple(resolutions)
