"""The blocks of ResNet50: as rows of a latency table, and as modules to be timed."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from typing import cast

import numpy as np
from torch import nn

from dynas.hardware.lut.blocks import Block, MakeModule
from dynas.hardware.lut.contracts import BlockTable
from dynas.supernets.layers import GlobalMean
from dynas.supernets.resnets.layers import ElasticConvNorm, ElasticLinear
from dynas.supernets.resnets.ofa_blocks import ElasticBottleneck, ElasticResidual
from dynas.supernets.resnets.ofa_network import ElasticResNet50
from dynas.supernets.resnets.ofa_shape import (
    BLOCK_STAGE,
    RATIOS,
    WIDTHS,
    BlockShape,
    Costs,
    Shape,
    block_shapes,
    sizes_after,
)

Index = tuple[int, ...]


def stem_blocks(shape: Shape) -> tuple[list[Block], list[Block], dict[Index, Block], list[Block]]:
    """Return first, middle and last convolution of the stem and its max-pooling.

    The first two by width within the stem, the last by widths within and out of it, the pooling by width out of it.
    """
    stem, pooled, *_ = sizes_after(shape, shape.resolution)
    within, out = shape.stem_middle, shape.stem
    first = [Block("stem", (*shape.resolution, shape.channels), (*stem, middle)) for middle in within]
    residual = [Block("stem_residual", (*stem, middle), (*stem, middle)) for middle in within]
    last: dict[Index, Block] = {
        (m, o): Block("stem_last", (*stem, middle), (*stem, outputs))
        for m, middle in enumerate(within)
        for o, outputs in enumerate(out)
    }
    return first, residual, last, [Block("max_pool", (*stem, outputs), (*pooled, outputs)) for outputs in out]


def bottlenecks(shape: Shape) -> Iterator[tuple[Index, Block]]:
    """Yield place, width in, width out and ratio of every block option, and the block."""
    _, *sizes = sizes_after(shape, shape.resolution)
    for index, block in enumerate(block_shapes(shape)):
        stage = BLOCK_STAGE[index]
        before, after = sizes[stage + (not block.first)], sizes[stage + 1]
        for i, o in np.ndindex(len(WIDTHS), len(WIDTHS)):
            for r, ratio in enumerate(RATIOS):
                if block.first or i == o:
                    yield (index, i, o, r), bottleneck(shape, block, (i, o), ratio, before, after)


def bottleneck(
    shape: Shape, block: BlockShape, widths: Index, ratio: float, before: tuple[int, int], after: tuple[int, int]
) -> Block:
    """Return one block option, between images of two sizes."""
    inputs, outputs = block.inputs[widths[0]], block.outputs[widths[1]]
    middle = shape.middle(outputs, ratio)
    ends = (*before, inputs), (*after, outputs)
    return Block("bottleneck", *ends, middle, 3, block.stride, int(not block.first), 0, "relu")


def classifiers(shape: Shape) -> list[Block]:
    """Return mean and linear layer, by width of the last stage."""
    *_, last = sizes_after(shape, shape.resolution)
    return [Block("classify", (*last, channels), (1, 1, shape.classes)) for channels in shape.stages[-1]]


def block_latencies(shape: Shape, table: BlockTable) -> Costs[np.float64]:
    """Return the latencies of every part in milliseconds, without the axis of resolutions.

    Raises:
        DynasError: the table lacks a block.
    """
    first, residual, last, pools = stem_blocks(shape)
    known = table.network(first[0])
    n, deep = len(WIDTHS), np.array([0.0, 0.0, 1.0])  # the middle convolution exists at the last depth only
    stem = np.empty((n, n, len(deep)))
    for m, o in np.ndindex(n, n):
        stem[m, o] = known[first[m]] + known[last[m, o]] + known[pools[o]] + deep * known[residual[m]]
    blocks = np.zeros((len(BLOCK_STAGE), n, n, len(RATIOS)))
    for index, block in bottlenecks(shape):
        blocks[index] = known[block]
    return Costs(stem, blocks, np.array([known[block] for block in classifiers(shape)]))


def block_modules(shape: Shape, elastic: ElasticResNet50) -> dict[Block, MakeModule]:
    """Return all blocks of all sub-networks at one resolution, each with what makes its module."""
    first, residual, last, pools = stem_blocks(shape)
    stem = cast(list[ElasticConvNorm | ElasticResidual], list(elastic.input_stem))
    made: dict[Block, MakeModule] = {}
    for layer, blocks in zip(stem, (first, residual, list(last.values())), strict=True):
        made |= {block: partial(layer.static, block.input[2], block.output[2]) for block in blocks}
    made |= {block: partial(deepcopy, elastic.max_pooling) for block in pools}
    layers = cast(list[ElasticBottleneck], list(elastic.blocks.children()))
    for (index, *_), block in bottlenecks(shape):
        made.setdefault(block, partial(layers[index].static, block.input[2], block.middle, block.output[2]))
    linear = cast(ElasticLinear, elastic.classifier.linear)
    return made | {block: partial(classifier, linear, block.input[2]) for block in classifiers(shape)}


def classifier(linear: ElasticLinear, channels: int) -> nn.Module:
    """Return the module from the last block's output to logits."""
    return nn.Sequential(GlobalMean(), nn.Flatten(), linear.static(channels))
