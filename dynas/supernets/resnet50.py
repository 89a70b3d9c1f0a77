"""ResNet50 as a Once-for-All supernet: elastic depths, expansion ratios and widths.

He et al. 2016 (arXiv:1512.03385), with the three-convolution stem and pooled shortcuts of He et al. 2019
(arXiv:1812.01187), made elastic by Cai et al. 2020 (arXiv:1908.09791); the search space is that of Cummings
et al. 2022, Appendix D.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from dynas.core.design import DesignVariable, Gate
from dynas.core.objectives import Values
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError
from dynas.hardware.lut.blocks import Block, MakeModule
from dynas.hardware.lut.contracts import BlockTable
from dynas.supernets.images import ImageSupernet, check_heights, choose_precision
from dynas.supernets.resnets.ofa_network import ElasticResNet50
from dynas.supernets.resnets.ofa_shape import (
    BLOCK_POSITION,
    BLOCK_STAGE,
    DEPTHS,
    LEAST_BLOCKS,
    RATIOS,
    STAGE_CHANNELS,
    WIDTHS,
    Costs,
    Shape,
    cost_tables,
)
from dynas.supernets.weights.load import load_weights
from dynas.supernets.weights.public import resnet50 as public_checkpoint


def search_space(shape: Shape) -> SearchSpace:
    """Return 5 depths, 18 expansion ratios and 6 widths, the first of each depth and width for the stem.

    Widths are indices of the elastic multipliers, as in the public code: within the stem, out of it, then one
    per stage. The stem's middle convolution exists at its last depth only, so its other depths are the same; so
    are widths within the stem that round to the same number of channels, as two of the public network do.
    There are 2,458,914,796,962 distinct sub-networks, and two thirds of them where two of those widths are the same.
    """
    gates = tuple(
        Gate("d", 1 + stage, 1 + position - LEAST_BLOCKS[stage]) if position >= LEAST_BLOCKS[stage] else None
        for stage, position in zip(BLOCK_STAGE, BLOCK_POSITION, strict=True)
    )
    shallow = dict.fromkeys(DEPTHS[1:-1], DEPTHS[0])
    middle = shape.stem_middle
    same = {index: middle.index(count) for index, count in enumerate(middle) if middle.index(count) < index}
    variables = [
        DesignVariable("d", DEPTHS, 1 + len(STAGE_CHANNELS), aliases={0: shallow}),
        DesignVariable("e", RATIOS, len(BLOCK_STAGE), gates),
        DesignVariable("w", tuple(range(len(WIDTHS))), 2 + len(STAGE_CHANNELS), aliases={0: same}),
    ]
    if shape.heights:
        variables.append(DesignVariable("r", shape.heights))
    return SearchSpace(variables)


def check_options(shape: Shape) -> None:
    """Raise DynasError where two options of a width or ratio round to the same channels.

    They would be one sub-network under two names. The public network's widths within the stem do, and only those
    are merged by `search_space`.
    """
    counts = [shape.stem, *shape.stages]
    counts += [tuple(shape.middle(outputs, ratio) for ratio in RATIOS) for stage in shape.stages for outputs in stage]
    if any(len(set(options)) < len(options) for options in counts):
        raise DynasError(
            f"supernet resnet50 has options with the same channels at width={shape.width} and "
            f"divisor={shape.divisor}: give a larger width or a smaller divisor"
        )


class ResNet50Supernet(ImageSupernet):
    """The trained supernet that the search draws from.

    Args:
        weights: ``embedded``, ``ofa`` (the public checkpoint), ``random`` (untrained) or a path to a checkpoint.
        width, resolution, channels, classes, stem_stride, strides, divisor: see
            `dynas.supernets.resnets.ofa_shape.Shape`.
        seed: seed of the weights where ``weights=random``.
        resolutions: image heights to choose from, ascending, which adds the design variable ``r``; widths follow
            the aspect of ``resolution``. None: all images have ``resolution``.
        precision_choices: ``[fp32, int8]`` adds the design variable ``p``; None: all sub-networks have one precision.

    Raises:
        DynasError: the weights cannot be read or do not fit, or the shape makes no sense.
    """

    name = "resnet50"
    shape: Shape
    elastic: ElasticResNet50

    def __init__(
        self,
        weights: str,
        width: float,
        resolution: Sequence[int],
        channels: int,
        classes: int,
        stem_stride: int,
        strides: Sequence[int],
        divisor: int,
        seed: int = 0,
        resolutions: Sequence[int] | None = None,
        precision_choices: Sequence[str] | None = None,
    ) -> None:
        if len(resolution) != 2 or len(strides) != len(STAGE_CHANNELS):
            raise DynasError(
                f"supernet resnet50 needs resolution=[height,width] and {len(STAGE_CHANNELS)} strides, "
                f"got resolution={list(resolution)} strides={list(strides)}"
            )
        if min(width, channels, classes, stem_stride, divisor, *resolution, *strides) <= 0:
            raise DynasError(
                "supernet resnet50 needs positive numbers for width, resolution, channels, classes, stem_stride, "
                "strides and divisor"
            )
        size, heights = (resolution[0], resolution[1]), check_heights(resolutions)
        self.shape = Shape(width, size, channels, classes, stem_stride, tuple(strides), divisor, heights)
        check_options(self.shape)
        self.space = choose_precision(search_space(self.shape), precision_choices)
        self.precision_choices = precision_choices
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticResNet50(self.shape)
        public = public_checkpoint(width, channels, classes, stem_stride, strides, divisor)
        self.weights_digest = load_weights(self.elastic, weights, self.name, public)
        self.elastic.eval()
        self._macs, self._params = cost_tables(self.shape)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates for one image of each canonical genotype: ``(n,)``."""
        return self._macs.total(genotypes)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters of each canonical genotype's sub-network: ``(n,)``."""
        return self._params.total(genotypes)

    def lookup(self, table: BlockTable) -> Callable[[Genotypes], Values]:
        """Return the function from canonical genotypes ``(n, G)`` to summed latencies ``(n,)`` in milliseconds.

        Raises:
            DynasError: the table lacks a block of this network, at the table's width where it has one.
        """
        from dynas.supernets.resnets.ofa_lookup import block_latencies

        wide = replace(self.shape, width=table.width or self.shape.width)
        parts = [block_latencies(replace(wide, resolution=one), table) for one in self.resolutions]
        costs = Costs(*map(np.stack, zip(*parts, strict=True)))
        # rounded to what is more than the noise of adding up
        return lambda genotypes: np.round(costs.total(genotypes), 9)

    def block_modules(self) -> Mapping[Block, MakeModule]:
        """Return all blocks of all sub-networks in the order of the network, each with what makes its module."""
        from dynas.supernets.resnets.ofa_lookup import block_modules

        shapes = [replace(self.shape, resolution=one) for one in self.resolutions]
        return {block: make for shape in shapes for block, make in block_modules(shape, self.elastic).items()}
