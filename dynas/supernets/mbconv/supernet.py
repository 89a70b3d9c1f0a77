"""What the supernets of inverted residual blocks have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.core.space import Genotypes
from dynas.errors import DynasError
from dynas.hardware.lut.blocks import Block, MakeModule
from dynas.hardware.lut.contracts import BlockTable
from dynas.supernets.images import ImageSupernet, check_heights, choose_precision
from dynas.supernets.mbconv.lookup import block_latencies, block_modules
from dynas.supernets.mbconv.network import ElasticMBConvNet
from dynas.supernets.mbconv.shape import CostTable, Family, Shape, search_space
from dynas.supernets.weights.load import load_weights
from dynas.supernets.weights.public import inverted_residuals


class MBConvSupernet(ImageSupernet):
    """The trained supernet that the search draws from (see `dynas.core.supernet.Supernet`).

    A sub-class says which network it is: its ``name`` and ``family``.

    Args:
        weights: ``embedded``, ``ofa`` (the public checkpoint), ``random`` (untrained) or a path to a checkpoint.
        width, resolution, channels, classes, stem_stride, strides: see `dynas.supernets.mbconv.shape.Shape`.
        seed: seed of the weights where ``weights=random``.
        resolutions: image heights to choose from, ascending, which adds the design variable ``r``; widths follow
            the aspect of ``resolution``. None: all images have ``resolution``.
        precision_choices: ``[fp32, int8]`` adds the design variable ``p``; None: all sub-networks have one precision.

    Raises:
        DynasError: the weights cannot be read or do not fit, or the shape makes no sense.
    """

    name: str
    family: Family
    shape: Shape
    elastic: ElasticMBConvNet

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
        precision_choices: Sequence[str] | None = None,
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
        self.space = choose_precision(search_space(self.family, heights), precision_choices)
        self.precision_choices = precision_choices
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticMBConvNet(self.shape)
        public = inverted_residuals(self.name, width, channels, classes, stem_stride, strides)
        self.weights_digest = load_weights(self.elastic, weights, self.name, public)
        self.elastic.eval()
        self.cost = CostTable(self.shape)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates for one image of each canonical genotype: ``(n,)``."""
        return self.cost.total(self.cost.macs, self.cost.fixed_macs, genotypes)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters of each canonical genotype's sub-network: ``(n,)``."""
        return self.cost.total(self.cost.params, self.cost.fixed_params, genotypes)

    def lookup(self, table: BlockTable) -> Callable[[Genotypes], Values]:
        """Return the function from canonical genotypes ``(n, G)`` to summed latencies ``(n,)`` in milliseconds.

        Raises:
            DynasError: the table lacks a block of this network, at the table's width where it has one.
        """
        wide = replace(self.shape, width=table.width or self.shape.width)
        tables = [block_latencies(replace(wide, resolution=one), table) for one in self.resolutions]
        latencies, fixed = (np.stack(column) for column in zip(*tables, strict=True))
        # rounded to what is more than the noise of adding up
        return lambda genotypes: np.round(self.cost.total(latencies, fixed, genotypes), 9)

    def block_modules(self) -> Mapping[Block, MakeModule]:
        """Return all blocks of all sub-networks in the order of the network, each with what makes its module."""
        shapes = [replace(self.shape, resolution=one) for one in self.resolutions]
        return {block: make for shape in shapes for block, make in block_modules(shape, self.elastic).items()}
